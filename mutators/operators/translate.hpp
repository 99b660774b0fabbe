#pragma once

#include "mutators/operators/model_work.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace atl {

/// The programs of `task` that its candidates could be translated from: for candidates of kind cuda
/// the starters that the task's folder has for cpu_cpp, with the contract of that kind. None where
/// the folder does not serve that kind too.
[[nodiscard]] std::vector<OriginalProgram> translatable_programs(const Task& task);

/// "translate": writes a program of another kind anew as a candidate of the campaign's; which one
/// is drawn, each with the same probability. Its base lends it the island and says what the child
/// is measured against, but not its code: the child's structure is that of the program it was made
/// from. Prompt "translate".
class Translate {
  public:
    Translate(std::vector<OriginalProgram> originals, std::shared_ptr<Prompts> prompts,
              ModelBudget budget)
        : m_originals(std::make_shared<const std::vector<OriginalProgram>>(std::move(originals))),
          m_prompts(std::move(prompts)),
          m_budget(budget) {}

    [[nodiscard]] std::string name() const { return k_name; }
    [[nodiscard]] int arity() const { return 1; }
    [[nodiscard]] bool asks_model() const { return true; }
    [[nodiscard]] ShownBlocks shows() const {
        return m_prompts ? m_prompts->shows(k_name) : ShownBlocks();
    }
    [[nodiscard]] bool applicable(const Task& task, const ParentView& base,
                                  const ParentView* partner) const;
    [[nodiscard]] OperatorRun start(const OperatorInput& input) const;

    static constexpr const char* k_name = "translate";

  private:
    std::shared_ptr<const std::vector<OriginalProgram>> m_originals;
    std::shared_ptr<Prompts> m_prompts;
    ModelBudget m_budget;
};

}  // namespace atl
