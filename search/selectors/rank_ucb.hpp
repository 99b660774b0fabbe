#pragma once

#include "search/selectors/selector.hpp"

namespace atl {

/// UCB over individuals by rank, as AKG's adaptive search selects parents:
///     value_i = (n - rank_i) / (n - 1) + c * sqrt(ln(N + 1) / (n_i + 1)) + U(-noise, noise)
/// with rank 1 for the best of n entries (a single one is worth 1), n_i its visits and N their sum;
/// the largest value is taken. Visits count tickets from their dispatch on, so that others in
/// flight look elsewhere, and are rolled back when nothing right came of them
/// (CampaignState::visits_of).
///
/// Values are not drawn: the probability of each entry to be largest is
///     p_i = integral of 1 / (2 noise) * product over j != i of P(value_j <= t) dt,
/// a piecewise polynomial that Gauss-Legendre quadrature integrates (exactly up to 39 entries that
/// are within twice the noise of the best), and the choice is made by p.
struct RankUcbSelector {
    double exploration = 1.414;  ///< c
    double noise = 0.1;
    [[nodiscard]] std::vector<double> probabilities(std::span<const SelectorEntry> entries) const;
    /// The values without noise.
    [[nodiscard]] std::vector<double> values(std::span<const SelectorEntry> entries) const;
};

}  // namespace atl
