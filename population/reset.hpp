#pragma once

#include "population/campaign_state.hpp"

#include <cstdint>
#include <optional>

namespace atl {

struct ResetSettings {
    std::int64_t every_commits = 0;  ///< of the campaign; 0: never
    double share = 0.5;              ///< of the islands, rounded down; one at least stays
};

/// The reset that is due after the last commit, once its migrations are recorded, and was not
/// recorded yet. When the count of commits is a multiple of every_commits, the worst islands are
/// emptied, and each begins anew with the best of an island that stays, chosen at random
/// (FunSearch: Romera-Paredes et al., "Mathematical discoveries from program search with large
/// language models", 2023, and its ProgramsDatabase.reset_islands(), where the worst half is reset
/// every four hours). Islands are ranked by their best; of equals the one of the lower number
/// stays. Not directly after a starter: some islands have not begun then. The campaign's best is
/// never lost.
///
/// A pure function of the arguments (random numbers are keyed by commit and island), so a replay
/// takes the same decision.
[[nodiscard]] std::optional<IslandsReset> due_reset(const CampaignState& state,
                                                    const ResetSettings& settings,
                                                    std::uint64_t seed);

}  // namespace atl
