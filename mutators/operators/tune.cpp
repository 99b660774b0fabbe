#include "mutators/operators/tune.hpp"

#include "mutators/operators/tune_strategy.hpp"

#include <algorithm>

namespace atl {

namespace {

// Local gets most turns: it is what follows an improvement.
constexpr std::pair<const char*, double> k_mix[] = {
    {"random", 0.25}, {"local", 0.5}, {"halving", 0.25}};

struct Choice {
    std::string name;
    std::string label;  // with the probability, for the record
};

Choice choose(const std::string& strategy, CounterRng& rng) {
    if (strategy != "mixed") {
        return {strategy, strategy};
    }
    std::vector<double> weights;
    for (const auto& [name, weight] : k_mix) {
        weights.push_back(weight);
    }
    const auto& [name, weight] = k_mix[rng.weighted(weights)];
    const int percent = static_cast<int>(weight * 100);
    return {name, std::string(name) + " (drawn with p=0." + std::to_string(percent) + ")"};
}

// By value: a coroutine's reference parameters would dangle.
OperatorRun run_tune(OperatorInput in, std::string strategy, int max_evaluations) {
    const ParentView parent = in.parents.at(0);
    const std::vector<Knob> knobs = knobs_of(*in.task, parent.candidate);
    const KnobSetting start = setting_of(knobs, parent.candidate);
    const Choice choice = choose(strategy, in.rng);
    const auto known = [&](const KnobSetting& setting) {
        return in.known && in.known(with_setting(knobs, setting, parent.candidate));
    };
    TuneHistory history(knobs, start, parent.fitness, known);
    const int budget = std::min(max_evaluations, in.max_evaluations);
    const auto search = make_tune_strategy(choice.name, budget);
    int evaluations = 0;
    for (int asks = 0; asks < k_max_asks && evaluations < budget; ++asks) {
        const std::optional<KnobSetting> setting = search->next(history, in.rng);
        if (!setting) {
            co_return;
        }
        Proposal proposal;
        proposal.candidate = with_setting(knobs, *setting, parent.candidate);
        proposal.description = choice.label + ": " + describe_change(knobs, start, *setting);
        const Evaluation evaluation = co_await ask(std::move(proposal));
        if (evaluation.faulted) {
            co_return;
        }
        evaluations += evaluation.duplicate ? 0 : 1;
        history.record(*setting, evaluation.correct ? evaluation.fitness : 0);
    }
}

}  // namespace

const std::vector<std::string>& tune_strategies() {
    static const std::vector<std::string> names = {"mixed", "random", "local", "halving"};
    return names;
}

bool Tune::applicable(const TaskPtr& task, const std::vector<ParentView>& parents) const {
    return !parents.empty() && !knobs_of(*task, parents[0].candidate).empty();
}

OperatorRun Tune::start(const OperatorInput& input) const {
    return run_tune(input, m_strategy, m_max_evaluations);
}

}  // namespace atl
