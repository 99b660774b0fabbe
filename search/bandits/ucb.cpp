#include "search/bandits/ucb.hpp"

#include "search/bandits/arm_values.hpp"

#include <cmath>
#include <limits>

namespace atl {

std::vector<double> UcbBandit::probabilities(std::span<const Arm> arms) const {
    double total = 0;
    std::vector<double> means;
    for (const Arm& arm : arms) {
        const ArmStats& stats = arm.stats;
        total += static_cast<double>(stats.issued);
        means.push_back(stats.decayed_count > 0 ? stats.decayed_reward / stats.decayed_count : 0);
    }
    scale_by_largest(means);
    const std::vector<double> cheap = cheapness(arms);
    std::vector<double> values;
    for (std::size_t i = 0; i < arms.size(); ++i) {
        const auto n = static_cast<double>(arms[i].stats.issued);
        const double bound = means[i] + exploration * std::sqrt(2 * std::log(total) / n);
        values.push_back(n > 0 ? (1 - cost_weight) * bound + cost_weight * cheap[i]
                               : std::numeric_limits<double>::infinity());
    }
    return best_or_any(values, epsilon, arms);
}

}  // namespace atl
