#pragma once

#include "search/selectors/selector.hpp"

namespace atl {

/// By curiosity (Cully and Demiris, "Quality and Diversity Optimization: A Unifying Modular
/// Framework", 2018): an individual's score begins at 0, rises by 1 for each child that enters an
/// archive and falls by 0.5 for each that does not (CampaignState::curiosity_of). The probability
/// is proportional to the score, which may be below 0; here to
///     score_i - min_j score_j + 1,
/// so that nobody is ruled out.
struct CuriositySelector {
    [[nodiscard]] std::vector<double> probabilities(std::span<const SelectorEntry> entries) const;
};

}  // namespace atl
