#include "reward/statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

namespace atl {
namespace {

TEST(Statistics, MedianOfOddAndEvenCounts) {
    EXPECT_DOUBLE_EQ(median(std::vector<double>{3, 1, 2}), 2);
    EXPECT_DOUBLE_EQ(median(std::vector<double>{4, 1, 3, 2}), 2.5);
    EXPECT_DOUBLE_EQ(median(std::vector<double>{7}), 7);
}

std::vector<double> one_to(int n) {
    std::vector<double> values;
    for (int i = n; i >= 1; --i) {
        values.push_back(i);
    }
    return values;
}

// Tables of the sign test (e.g. Conover, "Practical Nonparametric Statistics", table A3): for
// n = 10 the interval x_(2), x_(9) has coverage 0.9785; for n = 20, x_(6), x_(15) has 0.9586.
TEST(Statistics, IntervalOfTheMedianMatchesPublishedOrderStatistics) {
    const MedianInterval ten = median_interval(one_to(10));
    EXPECT_DOUBLE_EQ(ten.low, 2);
    EXPECT_DOUBLE_EQ(ten.high, 9);
    EXPECT_NEAR(ten.coverage, 0.9785, 1e-4);

    const MedianInterval twenty = median_interval(one_to(20));
    EXPECT_DOUBLE_EQ(twenty.low, 6);
    EXPECT_DOUBLE_EQ(twenty.high, 15);
    EXPECT_NEAR(twenty.coverage, 0.9586, 1e-4);
}

TEST(Statistics, SmallSamplesFallBackToTheWholeRangeAndSaySo) {
    const MedianInterval five = median_interval(one_to(5));
    EXPECT_DOUBLE_EQ(five.low, 1);
    EXPECT_DOUBLE_EQ(five.high, 5);
    EXPECT_NEAR(five.coverage, 0.9375, 1e-9);

    const MedianInterval six = median_interval(one_to(6));
    EXPECT_DOUBLE_EQ(six.low, 1);
    EXPECT_DOUBLE_EQ(six.high, 6);
    EXPECT_NEAR(six.coverage, 0.96875, 1e-9);

    const MedianInterval one = median_interval(one_to(1));
    EXPECT_DOUBLE_EQ(one.low, 1);
    EXPECT_DOUBLE_EQ(one.coverage, 0);
}

TEST(Statistics, IntervalOfManyValuesDoesNotUnderflow) {
    const MedianInterval interval = median_interval(one_to(5000));
    EXPECT_GE(interval.coverage, 0.95);
    // Normal approximation: half width 1.96 * sqrt(n) / 2 ranks.
    EXPECT_NEAR(interval.high - interval.low, 1.96 * 70.71, 3);
}

TEST(Statistics, WhatWasNotVerifiedDoesNotMakeATime) {
    // Three of five were garbage in no time; those that were judged took 100.
    const std::vector<double> mixed{1, 100, 1, 102, 1};
    EXPECT_DOUBLE_EQ(verified_median(mixed, std::vector<double>{102, 100}, 1.05), 100);
    EXPECT_DOUBLE_EQ(verified_median(mixed, std::vector<double>{102, 1}, 1.05), 1);
    // Noise within the tolerance, or nothing judged: the plain median.
    const std::vector<double> honest{98, 100, 104};
    EXPECT_DOUBLE_EQ(verified_median(honest, std::vector<double>{104}, 1.05), 100);
    EXPECT_DOUBLE_EQ(verified_median(honest, {}, 1.05), 100);
}

TEST(Statistics, GeometricMeanOfRatios) {
    EXPECT_NEAR(geometric_mean(std::vector<double>{1, 4, 16}), 4, 1e-12);
    EXPECT_NEAR(geometric_mean(std::vector<double>{1e-300, 1e300}), 1, 1e-9);
}

std::vector<std::uint32_t> by_turns(std::size_t count, std::uint32_t groups) {
    std::vector<std::uint32_t> all;
    for (std::size_t i = 0; i < count; ++i) {
        all.push_back(static_cast<std::uint32_t>(i) % groups);
    }
    return all;
}

// Pairs' means of 1, 2, 6: 1, 1.5, 2, 3.5, 4, 6.
TEST(Statistics, TheMiddleIsTheMedianOfPairsMeans) {
    EXPECT_DOUBLE_EQ(centre_of(std::vector<double>{6, 1, 2}, by_turns(3, 1)).middle, 2.75);
    EXPECT_DOUBLE_EQ(centre_of(one_to(21), by_turns(21, 1)).middle, 11);
}

// Hollander, Wolfe and Chicken, table A.4: for n = 20 the sum of signed ranks is at most 52 with a
// probability of 0.025, so that the interval begins at the 53rd of 210 means.
TEST(Statistics, TheIntervalOfTheMiddleIsThatOfSignedRanks) {
    std::vector<double> means;
    for (int i = 1; i <= 20; ++i) {
        for (int j = i; j <= 20; ++j) {
            means.push_back((i + j) / 2.0);
        }
    }
    std::sort(means.begin(), means.end());
    const Centre centre = centre_of(one_to(20), by_turns(20, 1));
    const double wider = std::sqrt(20.0 / 19);
    EXPECT_NEAR(centre.low, 10.5 - wider * (10.5 - means[52]), 1e-9);
    EXPECT_NEAR(centre.high, 10.5 + wider * (means[209 - 52] - 10.5), 1e-9);
}

TEST(Statistics, FewValuesHaveTheWholeRange) {
    const Centre five = centre_of(std::vector<double>{3, 1, 2, 9, 4}, by_turns(5, 2));
    EXPECT_EQ(five.low, 1);
    EXPECT_EQ(five.high, 9);
    const Centre one = centre_of(std::vector<double>{3}, by_turns(1, 1));
    EXPECT_EQ(one.low, 3);
    EXPECT_EQ(one.middle, 3);
}

TEST(Statistics, DifferencesBetweenGroupsAreNoNoise) {
    std::vector<double> values = one_to(24);
    for (double& value : values) {
        value = 1000 + value / 24;
    }
    const Centre alike = centre_of(values, by_turns(24, 3));
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] += 100.0 * static_cast<double>(i % 3);
    }
    const Centre apart = centre_of(values, by_turns(24, 3));
    EXPECT_NEAR(apart.middle, alike.middle + 100, 1e-9);
    EXPECT_NEAR(apart.high - apart.low, alike.high - alike.low, 1e-9);
    const Centre untold = centre_of(values, by_turns(24, 1));
    EXPECT_GT(untold.high - untold.low, 50);
}

TEST(Statistics, AnOutlierMovesTheMiddleLittle) {
    std::vector<double> values = one_to(24);
    const Centre before = centre_of(values, by_turns(24, 3));
    values[7] = 1e6;
    EXPECT_NEAR(centre_of(values, by_turns(24, 3)).middle, before.middle, 2);
}

// 95 % was asked for; heaps, long tails and groups that differ included. The generator's seed is
// fixed, so the numbers are always the same.
TEST(Statistics, TheIntervalCoversTheMiddleAsOftenAsItShould) {
    std::mt19937_64 random(5);
    std::normal_distribution<double> normal;
    std::exponential_distribution<double> exponential;
    const auto side = [&] { return random() % 2 == 0 ? 1.0 : -1.0; };
    const std::vector<std::function<double()>> kinds{
        [&] { return normal(random); },
        [&] { return side() + 0.15 * normal(random); },                     // two heaps
        [&] { return 1.2 * (random() % 3 - 1.0) + 0.2 * normal(random); },  // three
        [&] { return side() * exponential(random); },                       // long tails
        [&] { return random() % 33 == 0 ? side() * 20 * exponential(random) : normal(random); },
    };
    constexpr int k_rounds = 1000;
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
        for (const std::size_t count : {9u, 19u, 35u, 64u}) {
            int covered = 0;
            for (int round = 0; round < k_rounds; ++round) {
                const std::vector<std::uint32_t> groups = by_turns(count, 3);
                std::vector<double> values;
                for (const std::uint32_t group : groups) {
                    values.push_back(3.0 * group * group + kinds[kind]());
                }
                const Centre centre = centre_of(values, groups);
                const double truth = 3.0 * (0 + 1 + 4) / 3;
                covered += centre.low <= truth && truth <= centre.high ? 1 : 0;
            }
            EXPECT_GE(covered, 925) << "kind " << kind << ", " << count << " values";
        }
    }
}

// What half of the values cannot move, neither half can make jump: two heaps of equal size.
TEST(Statistics, OfTwoHeapsTheMiddleIsSteadierThanTheMedian) {
    std::mt19937_64 random(6);
    const auto spread_of = [&](const auto& estimate) {
        std::vector<double> estimates;
        for (int round = 0; round < 200; ++round) {
            std::vector<double> values;
            for (int i = 0; i < 60; ++i) {
                values.push_back(random() % 2 == 0 ? 49.0 : 51.0);
            }
            estimates.push_back(estimate(values));
        }
        double squares = 0;
        for (const double value : estimates) {
            squares += (value - 50) * (value - 50);
        }
        return std::sqrt(squares / static_cast<double>(estimates.size()));
    };
    const double of_medians =
        spread_of([](const std::vector<double>& values) { return median(values); });
    const double of_middles = spread_of([](const std::vector<double>& values) {
        return centre_of(values, by_turns(values.size(), 3)).middle;
    });
    EXPECT_LT(of_middles, of_medians / 2);
}

}  // namespace
}  // namespace atl
