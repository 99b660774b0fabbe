#pragma once

#include "search/selectors/selector.hpp"

namespace atl {

/// The best of `size` entries drawn with replacement. In closed form, for n entries the one at
/// place r (0 = best) wins with probability ((n - r)^size - (n - r - 1)^size) / n^size.
struct TournamentSelector {
    std::int64_t size = 3;
    [[nodiscard]] std::vector<double> probabilities(std::span<const SelectorEntry> entries) const;
};

}  // namespace atl
