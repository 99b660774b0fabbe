#include "search/bandits/fixed.hpp"

namespace atl {

std::vector<double> FixedBandit::probabilities(std::span<const Arm> arms) const {
    double sum = 0;
    for (const Arm& arm : arms) {
        sum += arm.weight;
    }
    std::vector<double> p;
    for (const Arm& arm : arms) {
        p.push_back(arm.weight / sum);
    }
    return p;
}

}  // namespace atl
