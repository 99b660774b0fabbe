#pragma once

#include "population/campaign_state.hpp"

#include <string>
#include <vector>

namespace atl {

/// How much a search explores beside choosing parents by merit.
struct IntensitySettings {
    std::string name = "none";  ///< one of intensity_names()
    double low = 0.15;          ///< where an island improves much
    double high = 0.5;          ///< where it does not
};

[[nodiscard]] const std::vector<std::string>& intensity_names();  ///< "none", "improvement"

/// Share of an island's tickets whose base is any member, all alike; the selector chooses that of
/// the others. With "improvement":
///
///     I = low + (high - low) / (1 + sqrt(G + 1e-8))
///
/// where G is the island's accumulated improvement (IslandState::gain), so that an island which no
/// longer improves looks around (AdaEvolve in SkyDiscover, search/adaevolve/adaptation.py: low
/// 0.15, high 0.5, G <- 0.9 G + 0.1 d^2; there 0.7 (1 - I) of the tickets exploit and the rest is
/// balanced, here the selector has all of 1 - I). With "none" I is 0. Heat H
/// (population/reheat.hpp) leaves the selector 1/H of its share: 1 - (1 - I) / H. In [0, 1).
[[nodiscard]] double exploring_share(const IslandState& island, double heat,
                                     const IntensitySettings& settings);

}  // namespace atl
