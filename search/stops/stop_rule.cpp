#include "search/stops/stop_rule.hpp"

#include "search/config.hpp"
#include "search/stops/rules.hpp"

namespace atl {

std::optional<std::string> AnyOf::reason(const StopView& view) const {
    for (const StopRule& rule : rules) {
        if (auto why = rule.reason(view)) {
            return why;
        }
    }
    return std::nullopt;
}

StopRule make_stop_rule(const StopSettings& settings) {
    AnyOf any;
    if (settings.target_fitness > 0) {
        any.rules.emplace_back(TargetFitness{settings.target_fitness});
    }
    if (settings.max_evaluations > 0) {
        any.rules.emplace_back(
            MaxEvaluations{static_cast<std::uint64_t>(settings.max_evaluations)});
    }
    if (settings.seconds > 0) {
        any.rules.emplace_back(TimeBudget{settings.seconds});
    }
    if (settings.tokens > 0) {
        any.rules.emplace_back(TokenBudget{settings.tokens});
    }
    if (settings.dollars > 0) {
        any.rules.emplace_back(MoneyBudget{settings.dollars});
    }
    if (settings.device_seconds > 0) {
        any.rules.emplace_back(DeviceBudget{settings.device_seconds});
    }
    if (settings.stagnation_commits > 0) {
        any.rules.emplace_back(Stagnation{static_cast<std::uint64_t>(settings.stagnation_commits)});
    }
    any.rules.emplace_back(Exhausted{static_cast<std::uint64_t>(settings.exhausted_proposals)});
    return StopRule(std::move(any));
}

}  // namespace atl
