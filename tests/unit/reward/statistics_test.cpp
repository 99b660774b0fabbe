#include "reward/statistics.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace atl
