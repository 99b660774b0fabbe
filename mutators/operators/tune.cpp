#include "mutators/operators/tune.hpp"

#include "mutators/operators/tune_strategy.hpp"

#include <fmt/format.h>

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
    return {name, fmt::format("{} (drawn with p={:g})", name, weight)};
}

// By value: a coroutine's reference parameters would dangle.
OperatorRun run_tune(OperatorInput in, std::string strategy) {
    const ParentView parent = in.parents.at(0);
    const std::vector<Knob>& knobs = parent.parts->knobs;
    const KnobSetting& start = parent.setting;
    const Choice choice = choose(strategy, in.rng);
    const auto known = [&](const KnobSetting& setting) {
        return in.known && in.known(with_setting(knobs, setting, parent.candidate));
    };
    const auto measured = [&](const KnobSetting& setting) {
        return in.measured ? in.measured(with_setting(knobs, setting, parent.candidate))
                           : std::nullopt;
    };
    TuneHistory history(knobs, start, parent.fitness, known, measured);
    const auto search = make_tune_strategy(choice.name, in.max_evaluations);
    int evaluations = 0;
    for (int asks = 0; asks < k_max_asks && evaluations < in.max_evaluations; ++asks) {
        const std::optional<KnobSetting> setting = search->next(history, in.rng);
        if (!setting) {
            co_return;
        }
        Proposal proposal;
        proposal.candidate = with_setting(knobs, *setting, parent.candidate);
        proposal.description = choice.label + ": " + describe_change(knobs, start, *setting);
        const Evaluation evaluation = co_await ask(std::move(proposal));
        evaluations += evaluation.duplicate ? 0 : 1;
        history.record(*setting, evaluation.correct ? evaluation.fitness : 0);
    }
}

}  // namespace

const std::vector<std::string>& tune_strategies() {
    static const std::vector<std::string> names = {"mixed", "random", "local", "halving", "bayes"};
    return names;
}

bool Tune::applicable(const Task&, const ParentView& base, const ParentView*) const {
    return !base.parts->knobs.empty();
}

OperatorRun Tune::start(const OperatorInput& input) const {
    return run_tune(input, m_strategy);
}

}  // namespace atl
