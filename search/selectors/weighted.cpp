#include "search/selectors/weighted.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace atl {

namespace {

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t n = values.size();
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

}  // namespace

std::vector<double> WeightedSelector::probabilities(std::span<const SelectorEntry> entries) const {
    std::vector<double> values;
    for (const SelectorEntry& entry : entries) {
        values.push_back(entry.fitness);
    }
    const double middle = median(values);
    std::vector<double> deviations;
    for (const double value : values) {
        deviations.push_back(std::abs(value - middle));
    }
    const double scale = std::max(median(deviations), 1e-6);
    std::vector<double> p;
    for (const SelectorEntry& entry : entries) {
        // Beyond +-500 exp() would leave the doubles; the weakest must keep a chance above zero.
        const double x = std::clamp(lambda * (entry.fitness - middle) / scale, -500.0, 500.0);
        p.push_back(1 / (1 + std::exp(-x)) / (1 + static_cast<double>(entry.children)));
    }
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    for (double& value : p) {
        value /= sum;
    }
    return p;
}

}  // namespace atl
