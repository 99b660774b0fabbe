#include "tools/atoll/comparison.hpp"

#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace atl {

namespace {

constexpr double k_confidence = 0.95;

/// Twice the mid-rank of each value, so that ties have whole numbers: the first ones come first.
std::vector<std::size_t> doubled_ranks(std::span<const double> first,
                                       std::span<const double> second) {
    std::vector<double> all(first.begin(), first.end());
    all.insert(all.end(), second.begin(), second.end());
    std::vector<double> sorted = all;
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::size_t> ranks;
    for (const double value : all) {
        const auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), value);
        // Ranks low + 1 to high, whose mean is half of this.
        ranks.push_back(
            static_cast<std::size_t>((low - sorted.begin()) + 1 + (high - sorted.begin())));
    }
    return ranks;
}

/// The share of all ways to choose `count` of the ranks whose sum is at least as far from the mean
/// as `sum`. ways[c][s]: to choose c of those seen so far with the sum s.
double exact_p(const std::vector<std::size_t>& ranks, std::size_t count, std::size_t sum) {
    const std::size_t most = std::accumulate(ranks.begin(), ranks.end(), std::size_t{0});
    std::vector<std::vector<double>> ways(count + 1, std::vector<double>(most + 1, 0.0));
    ways[0][0] = 1;
    for (const std::size_t rank : ranks) {
        for (std::size_t chosen = count; chosen > 0; --chosen) {
            for (std::size_t s = most; s >= rank; --s) {
                ways[chosen][s] += ways[chosen - 1][s - rank];
            }
        }
    }
    // In whole numbers: sum of all times count, by the number of ranks, is the mean.
    const auto distance = [&](std::size_t s) {
        const std::size_t scaled = s * ranks.size();
        return scaled > most * count ? scaled - most * count : most * count - scaled;
    };
    double all = 0;
    double extreme = 0;
    for (std::size_t s = 0; s <= most; ++s) {
        all += ways[count][s];
        extreme += distance(s) >= distance(sum) ? ways[count][s] : 0;
    }
    return extreme / all;
}

/// Normal approximation with correction for ties and for continuity.
double normal_p(const std::vector<std::size_t>& ranks, std::size_t first, double u) {
    const auto n = static_cast<double>(ranks.size());
    const auto n1 = static_cast<double>(first);
    const double n2 = n - n1;
    std::vector<std::size_t> sorted = ranks;
    std::sort(sorted.begin(), sorted.end());
    double ties = 0;
    for (auto begin = sorted.begin(); begin != sorted.end();) {
        const auto end = std::upper_bound(begin, sorted.end(), *begin);
        const auto t = static_cast<double>(end - begin);
        ties += t * t * t - t;
        begin = end;
    }
    const double variance = n1 * n2 / 12 * (n + 1 - ties / (n * (n - 1)));
    if (!(variance > 0)) {
        return 1;  // all are equal
    }
    const double z = std::max(0.0, std::abs(u - n1 * n2 / 2) - 0.5) / std::sqrt(variance);
    return std::min(1.0, 2 * boost::math::cdf(boost::math::complement(boost::math::normal(), z)));
}

}  // namespace

double ComparedRun::area() const {
    return best_so_far.empty() ? 0
                               : std::accumulate(best_so_far.begin(), best_so_far.end(), 0.0) /
                                     static_cast<double>(best_so_far.size());
}

ComparedRun compared_run(const CampaignState& state, std::uint64_t budget) {
    ComparedRun run;
    double best = 0;
    for (const Individual& individual : state.individuals()) {
        if (individual.duplicate) {
            continue;
        }
        if (run.best_so_far.size() == budget) {
            break;  // some may have been in flight when the budget was spent
        }
        best = std::max(best, individual.fitness);
        run.best_so_far.push_back(best);
    }
    run.evaluations = run.best_so_far.size();
    run.best_so_far.resize(budget, best);
    if (state.confirmed()) {
        run.confirmed = state.confirmed()->fitness;
    }
    return run;
}

Estimate estimate_mean(std::span<const double> values) {
    if (values.empty()) {
        return {};
    }
    const auto n = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    double squares = 0;
    for (const double value : values) {
        squares += (value - mean) * (value - mean);
    }
    if (values.size() < 2 || squares == 0) {
        return {mean, mean, mean};
    }
    const boost::math::students_t t(n - 1);
    const double half =
        boost::math::quantile(t, 0.5 + k_confidence / 2) * std::sqrt(squares / (n - 1) / n);
    return {mean, mean - half, mean + half};
}

std::vector<Estimate> mean_curve(const ComparedRecipe& recipe) {
    std::vector<Estimate> curve;
    const std::size_t length = recipe.runs.empty() ? 0 : recipe.runs.front().best_so_far.size();
    std::vector<double> values(recipe.runs.size());
    for (std::size_t i = 0; i < length; ++i) {
        std::transform(recipe.runs.begin(), recipe.runs.end(), values.begin(),
                       [i](const ComparedRun& run) { return run.best_so_far[i]; });
        curve.push_back(estimate_mean(values));
    }
    return curve;
}

RankTest rank_test(std::span<const double> first, std::span<const double> second) {
    const std::vector<std::size_t> ranks = doubled_ranks(first, second);
    const auto middle = ranks.begin() + static_cast<std::ptrdiff_t>(first.size());
    const std::size_t sum = std::accumulate(ranks.begin(), middle, std::size_t{0});
    const auto n1 = static_cast<double>(first.size());
    RankTest test;
    test.u = static_cast<double>(sum) / 2 - n1 * (n1 + 1) / 2;
    test.superiority = test.u / (n1 * static_cast<double>(second.size()));
    test.exact = ranks.size() <= k_max_exact;
    test.p = test.exact ? exact_p(ranks, first.size(), sum) : normal_p(ranks, first.size(), test.u);
    return test;
}

std::vector<double> holm(const std::vector<double>& p) {
    std::vector<std::size_t> order(p.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
    std::vector<double> corrected(p.size());
    double highest = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        highest = std::max(highest, static_cast<double>(p.size() - i) * p[order[i]]);
        corrected[order[i]] = std::min(1.0, highest);
    }
    return corrected;
}

}  // namespace atl
