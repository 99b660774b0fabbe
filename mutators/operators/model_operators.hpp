#pragma once

#include "mutators/agent_settings.hpp"
#include "mutators/operators/model_work.hpp"
#include "mutators/operators/registry.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

namespace atl {

/// An operator that asks a language model: its arity, its prompt and its parser. What it does with
/// them is run_model_work(). There are
///
///   "rewrite"         a whole new program
///   "patch"           search/replace blocks, applied to the parent; what matches nowhere or in
///   several
///                     places is told to the model, and nothing is evaluated before all match
///   "code_crossover"  one program of two, with their mechanisms named
///   "repair"          makes a wrong program (fitness 0) right
///   "plan_then_code"  asks for ideas with predicted gains, then for the program by one of them
///   "strategy_crossover"  the same; the ideas are to combine the strategies of two programs, of
///                     which the second is shown by its steps alone (cuPilot, arXiv 2512.16465,
///                     crosses strategies and not code; its prompts are not ours)
///
/// Programs that are folders are left alone.
class ModelOperator {
  public:
    struct Spec {
        const char* name = "";
        int arity = 1;
        const char* prompt = "";
        ParseReply parse = nullptr;
        bool wrong_bases = false;         ///< works on wrong programs, and on no others
        std::vector<std::string> labels;  ///< see ModelWork
        const char* plan_prompt = "";     ///< see ModelWork
    };

    ModelOperator(Spec spec, std::shared_ptr<Prompts> prompts, ModelBudget budget)
        : m_spec(std::move(spec)), m_prompts(std::move(prompts)), m_budget(budget) {}

    [[nodiscard]] std::string name() const { return m_spec.name; }
    [[nodiscard]] int arity() const { return m_spec.arity; }
    [[nodiscard]] bool mends_wrong() const { return m_spec.wrong_bases; }
    [[nodiscard]] bool applicable(const Task& task, const ParentView& base,
                                  const ParentView* partner) const;
    [[nodiscard]] OperatorRun start(const OperatorInput& input) const;
    [[nodiscard]] bool asks_model() const { return true; }
    [[nodiscard]] ShownBlocks shows() const {
        if (!m_prompts) {
            return {};
        }
        const ShownBlocks last = m_prompts->shows(m_spec.prompt);
        const ShownBlocks first = m_prompts->shows(m_spec.plan_prompt);
        return {last.exemplars || first.exemplars, last.inspirations || first.inspirations,
                last.memory || first.memory};
    }

  private:
    Spec m_spec;
    std::shared_ptr<Prompts> m_prompts;
    ModelBudget m_budget;
};

/// Their names, in the order in which they are added.
[[nodiscard]] std::vector<std::string> model_operator_names();
/// How many questions one of them asks for a child at least; 0 for an operator that is none of
/// them.
[[nodiscard]] int questions_per_child(const std::string& name);

/// Adds all of them. `prompts` is shared by all runs of them, on one thread. `originals`:
/// translatable_programs() of the campaign's task.
void add_model_operators(OperatorRegistry& registry, const std::shared_ptr<Prompts>& prompts,
                         ModelBudget budget, const std::vector<OriginalProgram>& originals = {});

/// What a campaign that asks models says of its operators.
struct ModelOperatorOptions {
    std::filesystem::path prompts;  ///< the campaign's own folder of them; empty: none
    std::string hardware;           ///< hardware_card() of its device; may be empty
    ModelBudget budget;
    AgentSettings agent = {};  ///< where it is set, there is the operator "agent" too
};

/// The operators that a campaign with models or an agent can name: shipped_operators() and those
/// that ask.
/// Errors: those of find_shipped_prompts() and Prompts::load().
[[nodiscard]] Expected<OperatorRegistry> campaign_operators(const Task& task,
                                                            const ModelOperatorOptions& options);

}  // namespace atl
