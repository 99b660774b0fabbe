#pragma once

#include "mutators/operator.hpp"

#include <string>
#include <vector>

namespace atl {

/// "random", "local", "halving", "bayes", and "mixed", which draws one of the first three for each
/// run.
[[nodiscard]] const std::vector<std::string>& tune_strategies();

/// Searches over the `// tune:` macros of its parent and the task's allowed compiler flags, with
/// as many evaluations as the ticket may spend. The text stays as it is.
class Tune {
  public:
    explicit Tune(std::string strategy = "mixed") : m_strategy(std::move(strategy)) {}

    [[nodiscard]] std::string name() const { return "tune"; }
    [[nodiscard]] int arity() const { return 1; }
    [[nodiscard]] bool applicable(const Task& task, const ParentView& base,
                                  const ParentView* partner) const;
    [[nodiscard]] OperatorRun start(const OperatorInput& input) const;

  private:
    std::string m_strategy;
};

}  // namespace atl
