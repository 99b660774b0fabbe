#pragma once

#include "mutators/operator.hpp"

#include <string>
#include <vector>

namespace atl {

/// "random", "local", "halving", and "mixed", which draws one of the three for each run.
[[nodiscard]] const std::vector<std::string>& tune_strategies();

/// Searches over the `// tune:` macros of its parent and the task's allowed compiler flags, with
/// up to `max_evaluations` evaluations per run. The text stays as it is.
class Tune {
  public:
    explicit Tune(std::string strategy = "mixed", int max_evaluations = 8)
        : m_strategy(std::move(strategy)), m_max_evaluations(max_evaluations) {}

    [[nodiscard]] std::string name() const { return "tune"; }
    [[nodiscard]] int arity() const { return 1; }
    [[nodiscard]] bool applicable(const TaskPtr& task,
                                  const std::vector<ParentView>& parents) const;
    [[nodiscard]] OperatorRun start(const OperatorInput& input) const;

  private:
    std::string m_strategy;
    int m_max_evaluations;
};

}  // namespace atl
