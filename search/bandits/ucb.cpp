#include "search/bandits/ucb.hpp"

#include "search/bandits/fixed.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace atl {

namespace {

double mean_of(const OperatorStats& stats) {
    return stats.decayed_count > 0 ? stats.decayed_reward / stats.decayed_count : 0;
}

}  // namespace

std::vector<double> UcbBandit::probabilities(std::span<const Arm> arms) const {
    double total = 0;
    double largest_mean = 0;
    for (const Arm& arm : arms) {
        total += static_cast<double>(arm.stats.issued);
        largest_mean = std::max(largest_mean, mean_of(arm.stats));
    }
    std::vector<double> values;
    for (const Arm& arm : arms) {
        const auto n = static_cast<double>(arm.stats.issued);
        const double mean = largest_mean > 0 ? mean_of(arm.stats) / largest_mean : 0;
        values.push_back(n > 0 ? mean + exploration * std::sqrt(2 * std::log(total) / n)
                               : std::numeric_limits<double>::infinity());
    }
    const double best = *std::max_element(values.begin(), values.end());
    const auto ties = static_cast<double>(std::count(values.begin(), values.end(), best));
    std::vector<double> p = FixedBandit().probabilities(arms);
    for (std::size_t i = 0; i < p.size(); ++i) {
        p[i] = epsilon * p[i] + (values[i] == best ? (1 - epsilon) / ties : 0);
    }
    return p;
}

}  // namespace atl
