#include "population/spawn.hpp"

#include "reward/base/rng.hpp"

#include <algorithm>
#include <set>

namespace atl {

namespace {

/// Starters come first among the individuals; the same one on several islands counts once.
std::vector<IndividualId> right_starters(const CampaignState& state) {
    std::vector<IndividualId> starters;
    for (const Individual& individual : state.individuals()) {
        if (individual.operator_name != "starter") {
            break;
        }
        if (individual.fitness > 0 && !individual.duplicate) {
            starters.push_back(individual.id);
        }
    }
    return starters;
}

std::vector<IndividualId> members_of_all(const CampaignState& state) {
    std::set<IndividualId> members;
    for (const IslandState& island : state.islands()) {
        for (const ArchiveEntry& entry : island.archive.entries()) {
            members.insert(entry.id);
        }
    }
    return {members.begin(), members.end()};
}

std::vector<IndividualId> founders(const CampaignState& state, const std::string& which) {
    if (which == "starter") {
        return right_starters(state);
    }
    if (which == "random") {
        return members_of_all(state);
    }
    return state.best() == nullptr ? std::vector<IndividualId>()
                                   : std::vector<IndividualId>{state.best()->id};
}

}  // namespace

const std::vector<std::string>& spawn_founders() {
    static const std::vector<std::string> names = {"none", "starter", "best", "random"};
    return names;
}

std::optional<IslandSpawned> due_spawn(const CampaignState& state, const SpawnSettings& settings,
                                       std::uint64_t seed) {
    const std::uint64_t commits = state.commits();
    const std::uint64_t quiet_since =
        std::max(state.last_improved_commit(), state.last_spawn_commit());
    const auto most = std::min<std::size_t>(static_cast<std::size_t>(settings.most), k_max_islands);
    if (settings.founder == "none" || state.individuals().empty() ||
        commits - quiet_since < static_cast<std::uint64_t>(settings.after_commits) ||
        state.islands().size() >= most || state.was_watched_now() ||
        state.individuals().back().operator_name == "starter") {
        return std::nullopt;
    }
    const std::vector<IndividualId> choices = founders(state, settings.founder);
    if (choices.empty()) {
        return std::nullopt;
    }
    const auto island = static_cast<std::uint32_t>(state.islands().size());
    CounterRng rng(seed, RngPurpose::spawn, commits, island);
    return IslandSpawned{commits, island, choices[rng.below(choices.size())],
                         1.0 / static_cast<double>(choices.size())};
}

}  // namespace atl
