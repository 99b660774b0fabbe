#include "search/selectors/curiosity.hpp"

#include <algorithm>

namespace atl {

std::vector<double> CuriositySelector::probabilities(std::span<const SelectorEntry> entries) const {
    double least = entries[0].curiosity;
    for (const SelectorEntry& entry : entries) {
        least = std::min(least, entry.curiosity);
    }
    double sum = 0;
    std::vector<double> p;
    for (const SelectorEntry& entry : entries) {
        p.push_back(entry.curiosity - least + 1);
        sum += p.back();
    }
    for (double& value : p) {
        value /= sum;
    }
    return p;
}

}  // namespace atl
