#pragma once

#include "population/campaign_state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace atl {

struct SpawnSettings {
    std::string founder = "none";  ///< one of spawn_founders()
    std::int64_t after_commits =
        100;                ///< without a better best, and since the last island was added
    std::int64_t most = 8;  ///< islands altogether, at most k_max_islands
};

/// "none": islands stay as many as there are. "starter": any right starter; "best": the campaign's
/// best; "random": any member of any archive.
[[nodiscard]] const std::vector<std::string>& spawn_founders();

/// The island that is to be added after the last commit, once its migrations and its reset are
/// recorded, and was not recorded yet: when the campaign's best has not risen for after_commits, a
/// new island begins with a copy of one individual (ShinkaEvolve's dynamic islands: stagnation
/// threshold 100, founders "initial", "best" and "archive_random"). The others stay as they are, so
/// nothing is lost; the new one takes turns with them (IslandState::head_start). Not directly after
/// a starter: some islands have not begun then.
///
/// A pure function of the arguments (random numbers are keyed by the commit), so a replay takes the
/// same decision. Takes time in the number of members of all archives, but only when an island is
/// due.
[[nodiscard]] std::optional<IslandSpawned> due_spawn(const CampaignState& state,
                                                     const SpawnSettings& settings,
                                                     std::uint64_t seed);

}  // namespace atl
