#include "mutators/operators/model_operators.hpp"

#include "mutators/operators/agent.hpp"
#include "mutators/operators/translate.hpp"
#include "mutators/prompts/prompt_files.hpp"
#include "mutators/replies/apply_edits.hpp"

namespace atl {

namespace {

FromReply<std::string> parse_patch(const ShownProgram& parent, const std::string&,
                                   std::string_view reply) {
    return patched_source(parent.source, reply);
}

// A new operator that asks a model is one more row here, and its prompt.
std::vector<ModelOperator::Spec> all_specs() {
    return {
        {"rewrite", 1, "rewrite", parse_whole_source, false, {"Change"}},
        {"patch", 1, "patch", parse_patch, false, {"Change"}},
        {"code_crossover",
         2,
         "crossover",
         parse_whole_source,
         false,
         {"Change", "Mechanism of the first", "Mechanism of the other", "Bridge"}},
        {"repair", 1, "repair", parse_whole_source, true, {"Change"}},
        {"plan_then_code", 1, "implement", parse_whole_source, false, {"Change"}, "plan"},
        {"strategy_crossover", 2, "implement", parse_whole_source, false, {"Change"}, "strategies"},
    };
}

bool is_shown(const ParentView& parent, bool wrong) {
    return !parent.candidate.source.empty() && (parent.fitness > 0) != wrong;
}

}  // namespace

bool ModelOperator::applicable(const Task&, const ParentView& base,
                               const ParentView* partner) const {
    if (!is_shown(base, m_spec.wrong_bases)) {
        return false;
    }
    return m_spec.arity == 1 || (partner != nullptr && is_shown(*partner, false) &&
                                 partner->candidate.source != base.candidate.source);
}

OperatorRun ModelOperator::start(const OperatorInput& input) const {
    return run_model_work(input, {m_prompts, m_budget, m_spec.name, m_spec.prompt, m_spec.parse,
                                  m_spec.labels, m_spec.plan_prompt});
}

std::vector<std::string> model_operator_names() {
    std::vector<std::string> names;
    for (const ModelOperator::Spec& spec : all_specs()) {
        names.emplace_back(spec.name);
    }
    names.emplace_back(Translate::k_name);
    return names;
}

int questions_per_child(const std::string& name) {
    for (const ModelOperator::Spec& spec : all_specs()) {
        if (name == spec.name) {
            return *spec.plan_prompt == '\0' ? 1 : 2;
        }
    }
    return name == Translate::k_name ? 1 : 0;
}

void add_model_operators(OperatorRegistry& registry, const std::shared_ptr<Prompts>& prompts,
                         ModelBudget budget, const std::vector<OriginalProgram>& originals) {
    for (const ModelOperator::Spec& spec : all_specs()) {
        registry.add(spec.name, [spec, prompts, budget](const auto&) {
            return Operator(ModelOperator(spec, prompts, budget));
        });
    }
    registry.add(Translate::k_name, [originals, prompts, budget](const auto&) {
        return Operator(Translate(originals, prompts, budget));
    });
}

Expected<OperatorRegistry> campaign_operators(const Task& task,
                                              const ModelOperatorOptions& options) {
    ATOLL_TRY_ASSIGN(const std::filesystem::path shipped, find_shipped_prompts());
    ATOLL_TRY_ASSIGN(Prompts prompts,
                     Prompts::load(shipped, options.prompts, prompt_facts(task, options.hardware)));
    OperatorRegistry registry = shipped_operators();
    const auto shared = std::make_shared<Prompts>(std::move(prompts));
    add_model_operators(registry, shared, options.budget, translatable_programs(task));
    if (options.agent.is_set()) {
        registry.add(k_agent, [shared, agent = options.agent](const auto&) {
            return Operator(Agent(shared, agent));
        });
    }
    return registry;
}

}  // namespace atl
