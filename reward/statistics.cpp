#include "reward/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace atl {

namespace {

std::vector<double> sorted(std::span<const double> values) {
    std::vector<double> copy(values.begin(), values.end());
    std::sort(copy.begin(), copy.end());
    return copy;
}

/// P(Binomial(n, 1/2) = i), through logarithms so that a large n does not underflow.
double fair_coin_probability(double n, double i) {
    return std::exp(std::lgamma(n + 1) - std::lgamma(i + 1) - std::lgamma(n - i + 1) -
                    n * std::numbers::ln2);
}

}  // namespace

double median(std::span<const double> values) {
    const std::vector<double> order = sorted(values);
    const std::size_t middle = order.size() / 2;
    return order.size() % 2 == 1 ? order[middle] : (order[middle - 1] + order[middle]) / 2;
}

MedianInterval median_interval(std::span<const double> values, double confidence) {
    const std::vector<double> order = sorted(values);
    const std::size_t n = order.size();
    double tail = fair_coin_probability(static_cast<double>(n), 0);
    MedianInterval interval{order.front(), order.back(), std::max(0.0, 1 - 2 * tail)};
    for (std::size_t k = 1; 2 * (k + 1) <= n; ++k) {
        tail += fair_coin_probability(static_cast<double>(n), static_cast<double>(k));
        if (1 - 2 * tail < confidence) {
            break;
        }
        interval = {order[k], order[n - 1 - k], 1 - 2 * tail};
    }
    return interval;
}

double verified_median(std::span<const double> all, std::span<const double> verified,
                       double tolerated) {
    const double middle = median(all);
    const auto least = std::min_element(verified.begin(), verified.end());
    return least != verified.end() && *least > tolerated * middle ? *least : middle;
}

double geometric_mean(std::span<const double> values) {
    double sum = 0;
    for (const double value : values) {
        sum += std::log(value);
    }
    return std::exp(sum / static_cast<double>(values.size()));
}

}  // namespace atl
