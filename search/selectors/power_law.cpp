#include "search/selectors/power_law.hpp"

#include <cmath>
#include <numeric>

namespace atl {

std::vector<double> PowerLawSelector::probabilities(std::span<const SelectorEntry> entries) const {
    std::vector<double> p(entries.size());
    for (std::size_t r = 0; r < p.size(); ++r) {
        p[r] = std::pow(static_cast<double>(r + 1), -alpha);
    }
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    for (double& value : p) {
        value /= sum;
    }
    return p;
}

}  // namespace atl
