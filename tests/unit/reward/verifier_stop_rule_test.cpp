#include "reward/verifier/stop_rule.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

constexpr double k_quiet = 1;
constexpr double k_disturbed = 1.6;

/// Launches of 1 ms that scatter by 40 %, so that no interval of a few is narrow.
void add(TimingSamples& samples, int count, double issue) {
    for (int i = 0; i < count; ++i) {
        TimedSample made;
        made.ns = i % 2 == 0 ? 1e6 : 1.4e6;
        made.before.issue = issue;
        made.after.issue = issue;
        samples.add(made);
    }
}

TimingSamples launches(int quiet, int disturbed) {
    TimingSamples samples;
    add(samples, quiet, k_quiet);
    add(samples, disturbed, k_disturbed);
    return samples;
}

constexpr StopRule k_rule{20, 1, 0.01};

TEST(StopRule, QuietLaunchesEndItWhenTheyAreAsManyAsTheyMay) {
    EXPECT_FALSE(k_rule.finished(launches(19, 0)));
    EXPECT_TRUE(k_rule.finished(launches(20, 0)));
}

TEST(StopRule, WhatWasDisturbedIsMeasuredAgain) {
    EXPECT_FALSE(k_rule.finished(launches(5, 15))) << "as many as a quiet machine needs";
    EXPECT_FALSE(k_rule.finished(launches(10, 10)));
    EXPECT_FALSE(k_rule.finished(launches(5, 24)));
    EXPECT_TRUE(k_rule.finished(launches(5, 25))) << "half as many again";
    EXPECT_TRUE(k_rule.finished(launches(20, 5)));
}

TEST(StopRule, TheTimeOfDisturbedLaunchesEndsItHalfAsLateAsThatOfQuietOnes) {
    const StopRule rule{200, 0.012, 0.01};  // ten launches are 12 ms
    EXPECT_FALSE(rule.finished(launches(8, 0)));
    EXPECT_TRUE(rule.finished(launches(10, 0)));
    EXPECT_FALSE(rule.finished(launches(0, 10)));
    EXPECT_TRUE(rule.finished(launches(0, 16)));
}

TEST(StopRule, ANarrowIntervalOfSixQuietLaunchesEndsIt) {
    TimingSamples samples;
    for (int i = 0; i < 6; ++i) {
        EXPECT_FALSE(k_rule.finished(samples)) << i;
        TimedSample made;
        made.ns = 1e6;
        made.before.issue = made.after.issue = k_quiet;
        samples.add(made);
    }
    EXPECT_TRUE(k_rule.finished(samples));
}

}  // namespace
}  // namespace atl
