#pragma once

#include "search/selectors/selector.hpp"

namespace atl {

/// Prefers fit entries and entries with few children (ShinkaEvolve's weighted parent selection):
///     s_i = sigmoid(lambda * (fitness_i - median) / max(MAD, 1e-6))
///     h_i = 1 / (1 + children_i)
///     p_i proportional to s_i * h_i
/// MAD is the median absolute deviation from the median; the median of an even count is the mean of
/// the middle two.
struct WeightedSelector {
    double lambda = 10;
    [[nodiscard]] std::vector<double> probabilities(std::span<const SelectorEntry> entries) const;
};

}  // namespace atl
