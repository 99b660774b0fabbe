#include "search/selectors/tournament.hpp"

#include <cmath>

namespace atl {

std::vector<double> TournamentSelector::probabilities(
    std::span<const SelectorEntry> entries) const {
    const auto n = static_cast<double>(entries.size());
    const auto k = static_cast<double>(size);
    std::vector<double> p(entries.size());
    for (std::size_t r = 0; r < p.size(); ++r) {
        const double rest = n - static_cast<double>(r);
        p[r] = std::pow(rest / n, k) - std::pow((rest - 1) / n, k);
    }
    return p;
}

}  // namespace atl
