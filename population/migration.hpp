#pragma once

#include "population/campaign_state.hpp"
#include "population/topology.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace atl {

struct MigrationSettings {
    std::int64_t every_commits = 20;  ///< of the sending island; 0: never
    std::int64_t migrants = 1;        ///< per edge, 1 to k_max_migrants
    std::string choice = "best";      ///< one of migrant_choices()
    std::int64_t top = 4;             ///< choice "uniform" picks among this many
};

inline constexpr std::int64_t k_max_migrants = 15;

/// "best": the fittest that the target's archive would take. "uniform": any of the `top` fittest
/// that it would take.
[[nodiscard]] const std::vector<std::string>& migrant_choices();

/// The migrations that are due after the last commit and not applied yet. An island sends when its
/// count of commits is a multiple of every_commits: each edge from it is used with the edge's
/// probability (times the search's heat, ProgressWatched), and carries individuals that the
/// target's archive takes: what it would refuse (a program that it holds, or one too close to a
/// fitter member) does not migrate.
///
/// A pure function of the arguments (random numbers are keyed by the commit), so a replay takes
/// the same decisions; and a campaign that was interrupted after some of the events were journalled
/// gets the rest. Append and apply them in this order, before the next commit.
/// REQUIRES settings in range and a topology over the state's islands.
[[nodiscard]] std::vector<Migrated> due_migrations(const CampaignState& state,
                                                   const Topology& topology,
                                                   const MigrationSettings& settings,
                                                   std::uint64_t seed);

}  // namespace atl
