#include "search/selectors/beam.hpp"

#include <algorithm>

namespace atl {

std::vector<double> BeamSelector::probabilities(std::span<const SelectorEntry> entries) const {
    const auto beam = entries.first(std::min(entries.size(), static_cast<std::size_t>(width)));
    std::uint64_t least = beam.front().tree.expansions;
    for (const SelectorEntry& entry : beam) {
        least = std::min(least, entry.tree.expansions);
    }
    const auto ties = std::count_if(beam.begin(), beam.end(), [least](const SelectorEntry& entry) {
        return entry.tree.expansions == least;
    });
    std::vector<double> p(entries.size(), 0.0);
    for (std::size_t i = 0; i < beam.size(); ++i) {
        p[i] = beam[i].tree.expansions == least ? 1 / static_cast<double>(ties) : 0;
    }
    return p;
}

}  // namespace atl
