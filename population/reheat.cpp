#include "population/reheat.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace atl {

namespace {

double relative_change(double before, double after) {
    if (before > 0) {
        return (after - before) / before;
    }
    return after > 0 ? std::numeric_limits<double>::infinity() : 0;
}

}  // namespace

double diversity_of(const CampaignState& state) {
    double sum = 0;
    std::size_t pairs = 0;
    for (const IslandState& island : state.islands()) {
        const auto members = island.archive.entries();
        for (std::size_t i = 1; i < members.size(); ++i) {
            sum += feature_distance(members[i - 1], members[i]);
            ++pairs;
        }
    }
    return pairs == 0 ? 0 : sum / static_cast<double>(pairs);
}

std::optional<ProgressWatched> due_watch(const CampaignState& state,
                                         const ReheatSettings& settings) {
    const std::uint64_t commits = state.commits();
    if (settings.every_commits <= 0 || commits == 0 || state.individuals().empty() ||
        commits % static_cast<std::uint64_t>(settings.every_commits) != 0 ||
        state.was_watched_now() || state.individuals().back().operator_name == "starter") {
        return std::nullopt;
    }
    ProgressWatched look;
    look.after_commit = commits;
    look.fitness = state.best() == nullptr ? 0 : state.best()->fitness;
    look.diversity = diversity_of(state);
    if (!state.watched()) {
        return look;  // nothing to compare with yet
    }
    const ProgressWatched& before = *state.watched();
    const bool still =
        relative_change(before.fitness, look.fitness) < settings.min_gain &&
        std::abs(relative_change(before.diversity, look.diversity)) < settings.min_change;
    look.still = still ? before.still + 1 : 0;
    look.heat = 1 + settings.decay * (before.heat - 1);
    if (look.still >= static_cast<std::uint64_t>(settings.patience)) {
        look.still = 0;
        look.heat = std::min(settings.most, settings.factor * before.heat);
    }
    return look;
}

}  // namespace atl
