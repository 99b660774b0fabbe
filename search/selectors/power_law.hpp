#pragma once

#include "search/selectors/selector.hpp"

namespace atl {

/// By rank alone: the entry at place r (0 = best) with probability proportional to (r + 1)^-alpha
/// (ShinkaEvolve's power-law parent selection over its archive, sample_with_powerlaw(); with alpha
/// 1 CodeEvolve's roulette, 1 / (1 + rank)). alpha 0 is uniform.
struct PowerLawSelector {
    double alpha = 1;
    [[nodiscard]] std::vector<double> probabilities(std::span<const SelectorEntry> entries) const;
};

}  // namespace atl
