#include "reward/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <map>
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

namespace {

/// Of all pairs, each value with itself too.
std::vector<double> pair_means(std::span<const double> values) {
    std::vector<double> means;
    means.reserve(values.size() * (values.size() + 1) / 2);
    for (std::size_t i = 0; i < values.size(); ++i) {
        for (std::size_t j = i; j < values.size(); ++j) {
            means.push_back((values[i] + values[j]) / 2);
        }
    }
    return means;
}

double at_rank(std::vector<double>& values, std::size_t rank) {
    const auto place = values.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(values.begin(), place, values.end());
    return *place;
}

double middle_of(std::vector<double>& values) {
    const std::size_t half = values.size() / 2;
    const double upper = at_rank(values, half);
    return values.size() % 2 == 1 ? upper : (at_rank(values, half - 1) + upper) / 2;
}

/// Each value, moved by what its group is off.
std::vector<double> aligned(std::span<const double> values, std::span<const std::uint32_t> groups,
                            std::size_t& group_count) {
    std::map<std::uint32_t, std::vector<double>> by_group;
    for (std::size_t i = 0; i < values.size(); ++i) {
        by_group[groups[i]].push_back(values[i]);
    }
    std::map<std::uint32_t, double> middles;
    double mean = 0;
    for (const auto& [group, members] : by_group) {
        std::vector<double> means = pair_means(members);
        middles[group] = middle_of(means);
        mean += middles[group] / static_cast<double>(by_group.size());
    }
    group_count = by_group.size();
    std::vector<double> moved;
    for (std::size_t i = 0; i < values.size(); ++i) {
        moved.push_back(values[i] - middles[groups[i]] + mean);
    }
    return moved;
}

}  // namespace

Centre centre_of(std::span<const double> values, std::span<const std::uint32_t> groups) {
    constexpr double k_quantile = 1.96;
    constexpr std::size_t k_least = 6;
    std::size_t group_count = 0;
    const std::vector<double> moved = aligned(values, groups, group_count);
    std::vector<double> means = pair_means(moved);
    Centre centre;
    centre.middle = middle_of(means);
    if (values.size() < k_least || values.size() <= group_count) {
        const auto [low, high] = std::minmax_element(values.begin(), values.end());
        return {centre.middle, std::min(*low, centre.middle), std::max(*high, centre.middle)};
    }
    const auto n = static_cast<double>(values.size());
    const double spread = std::sqrt(n * (n + 1) * (2 * n + 1) / 24);
    const double rank = static_cast<double>(means.size()) / 2 - k_quantile * spread - 0.5;
    const auto outside = static_cast<std::size_t>(std::max(0.0, std::floor(rank)));
    const double wider = std::sqrt(n / (n - static_cast<double>(group_count)));
    centre.low = centre.middle - wider * (centre.middle - at_rank(means, outside));
    centre.high =
        centre.middle + wider * (at_rank(means, means.size() - 1 - outside) - centre.middle);
    return centre;
}

double verified_median(std::span<const double> all, std::span<const double> verified,
                       double tolerated) {
    return verified_middle(median(all), verified, tolerated);
}

double verified_middle(double middle, std::span<const double> verified, double tolerated) {
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
