#include "search/bandits/arm_values.hpp"

#include "search/bandits/fixed.hpp"

#include <algorithm>

namespace atl {

namespace {

// 0: not known, or nothing.
double mean_cost(const ArmStats& stats) {
    return stats.priced > 0
               ? static_cast<double>(stats.nano_dollars) / static_cast<double>(stats.priced)
               : 0;
}

}  // namespace

void scale_by_largest(std::vector<double>& means) {
    const double largest = *std::max_element(means.begin(), means.end());
    for (double& mean : means) {
        mean = largest > 0 ? mean / largest : 0;
    }
}

std::vector<double> cheapness(std::span<const Arm> arms) {
    double least = 0;
    for (const Arm& arm : arms) {
        const double cost = mean_cost(arm.stats);
        least = cost > 0 && (least == 0 || cost < least) ? cost : least;
    }
    std::vector<double> cheap;
    for (const Arm& arm : arms) {
        const double cost = mean_cost(arm.stats);
        cheap.push_back(cost > 0 ? least / cost : 1);
    }
    return cheap;
}

std::vector<double> best_or_any(std::span<const double> values, double epsilon,
                                std::span<const Arm> arms) {
    const double best = *std::max_element(values.begin(), values.end());
    const auto ties = static_cast<double>(std::count(values.begin(), values.end(), best));
    std::vector<double> p = FixedBandit().probabilities(arms);
    for (std::size_t i = 0; i < p.size(); ++i) {
        p[i] = epsilon * p[i] + (values[i] == best ? (1 - epsilon) / ties : 0);
    }
    return p;
}

}  // namespace atl
