#include "search/stops/rules.hpp"

#include <fmt/format.h>

namespace atl {

std::optional<std::string> TargetFitness::reason(const StopView& view) const {
    const Individual* best = view.state.best();
    if (best == nullptr || best->fitness < fitness) {
        return std::nullopt;
    }
    return fmt::format("target fitness {:g} reached", fitness);
}

std::optional<std::string> MaxEvaluations::reason(const StopView& view) const {
    if (view.evaluations < evaluations) {
        return std::nullopt;
    }
    return fmt::format("budget of {} evaluations spent", evaluations);
}

std::optional<std::string> TimeBudget::reason(const StopView& view) const {
    if (static_cast<double>(view.elapsed_ns) < seconds * 1e9) {
        return std::nullopt;
    }
    return fmt::format("time budget of {:g} s spent", seconds);
}

std::optional<std::string> Stagnation::reason(const StopView& view) const {
    if (view.state.commits() < view.state.last_improved_commit() + commits) {
        return std::nullopt;
    }
    return fmt::format("no better best in {} commits", commits);
}

std::optional<std::string> TokenBudget::reason(const StopView& view) const {
    std::int64_t spent = 0;
    for (const auto& [model, stats] : view.state.exchanged()) {
        spent += stats.prompt_tokens + stats.completion_tokens;
    }
    if (spent < tokens) {
        return std::nullopt;
    }
    return fmt::format("budget of {} tokens spent", tokens);
}

std::optional<std::string> MoneyBudget::reason(const StopView& view) const {
    std::int64_t nano_dollars = 0;
    for (const auto& [model, stats] : view.state.exchanged()) {
        nano_dollars += stats.nano_dollars;
    }
    if (static_cast<double>(nano_dollars) < dollars * 1e9) {
        return std::nullopt;
    }
    return fmt::format("budget of ${:g} spent", dollars);
}

std::optional<std::string> DeviceBudget::reason(const StopView& view) const {
    if (view.state.device_seconds() < seconds) {
        return std::nullopt;
    }
    return fmt::format("budget of {:g} device seconds spent", seconds);
}

std::optional<std::string> Exhausted::reason(const StopView& view) const {
    const auto& all = view.state.individuals();
    if (all.size() < proposals) {
        return std::nullopt;
    }
    for (auto it = all.rbegin(); it != all.rbegin() + static_cast<std::ptrdiff_t>(proposals);
         ++it) {
        if (!it->duplicate) {
            return std::nullopt;
        }
    }
    return fmt::format("nothing new in the last {} proposals", proposals);
}

}  // namespace atl
