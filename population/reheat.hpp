#pragma once

#include "population/campaign_state.hpp"

#include <cstdint>
#include <optional>

namespace atl {

struct ReheatSettings {
    std::int64_t every_commits = 0;  ///< of the campaign, from one look to the next; 0: never
    double min_gain = 0.02;          ///< of the best: less is none
    double min_change = 0.05;        ///< of diversity, relative: less is none
    std::int64_t patience = 3;       ///< looks in a row without either until the search is heated
    double factor = 1.5;             ///< by which it is heated
    double most = 4;                 ///< heat at most
    double decay = 0.5;              ///< what is left of the heat above 1 at each further look
};

/// Mean distance (feature_distance()) of members that stand next to each other in the ranking of
/// their island's archive, over all islands; 0 where there are no two. In [0, 1].
[[nodiscard]] double diversity_of(const CampaignState& state);

/// The look at progress that is due after the last commit, after everything else that follows from
/// it, and was not recorded yet. When neither the best nor the diversity changes enough for
/// `patience` looks in a row, the search has converged and is heated: heat becomes min(most, factor
/// * heat), and the count begins again; at other looks it decays towards 1, heat becomes 1 + decay
/// (heat - 1). What heat does: parents are chosen less by merit (search/intensity.hpp), and edges
/// of the topology are used that many times as often, where their probability lets them.
///
/// After AKG's convergence detector (window 5, 2 % improvement, 5 % change of diversity, patience
/// 3, temperature times 1.5 and migration times 2 while it watches); it knows no decay and one
/// level of heat, and stops the search in the end, which here stop.stagnation_commits does.
///
/// A pure function of the arguments. Takes time in the number of members of all archives, at each
/// look.
[[nodiscard]] std::optional<ProgressWatched> due_watch(const CampaignState& state,
                                                       const ReheatSettings& settings);

}  // namespace atl
