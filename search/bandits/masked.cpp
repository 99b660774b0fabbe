#include "search/bandits/masked.hpp"

namespace atl {

std::vector<double> MaskedBandit::probabilities(std::span<const Arm> arms) const {
    std::vector<Arm> open;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < arms.size(); ++i) {
        if (arms[i].stats.failed_in_row < after || arms[i].stats.rested >= after) {
            open.push_back(arms[i]);
            places.push_back(i);
        }
    }
    if (open.empty()) {
        return inner.probabilities(arms);
    }
    const std::vector<double> among = inner.probabilities(open);
    std::vector<double> p(arms.size(), 0.0);
    for (std::size_t i = 0; i < places.size(); ++i) {
        p[places[i]] = among[i];
    }
    return p;
}

}  // namespace atl
