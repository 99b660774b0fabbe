#include "mutators/operators/translate.hpp"

#include "reward/kinds/kind.hpp"

namespace atl {

std::vector<OriginalProgram> translatable_programs(const Task& task) {
    constexpr const char* k_from = "cpu_cpp";
    if (task.kind != "cuda" || task.external) {
        return {};
    }
    const Expected<TaskPtr> other = load_task(task.folder, k_from);
    if (!other) {
        return {};  // no folder of that kind: there is nothing to translate
    }
    std::vector<OriginalProgram> originals;
    for (const Starter& starter : (*other)->starters) {
        originals.push_back({std::string(k_from) + ":" + starter.name, k_from, starter.source,
                             find_kind(k_from)->contract(**other)});
    }
    return originals;
}

bool Translate::applicable(const Task&, const ParentView& base, const ParentView*) const {
    return !m_originals->empty() && base.fitness > 0;
}

OperatorRun Translate::start(const OperatorInput& input) const {
    OperatorInput in = input;
    ModelWork work{m_prompts, m_budget, k_name, "translate", parse_whole_source, {"Change"}};
    work.original = m_originals->at(in.rng.below(m_originals->size()));
    return run_model_work(std::move(in), std::move(work));
}

}  // namespace atl
