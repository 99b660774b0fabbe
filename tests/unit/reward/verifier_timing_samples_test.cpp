#include "reward/verifier/timing_samples.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace atl {
namespace {

TimedSample sample(double ns, double before, double after) {
    TimedSample made;
    made.ns = ns;
    made.before = {before, 1};
    made.after = {1, after};
    return made;
}

TEST(TimedSample, IsAsDisturbedAsTheWorstOfItsReadings) {
    TimedSample one;
    for (double* part :
         {&one.before.compute, &one.before.memory, &one.after.compute, &one.after.memory}) {
        *part = 1.5;
        EXPECT_DOUBLE_EQ(one.disturbance(), 1.5);
        *part = 0.9;
    }
    EXPECT_DOUBLE_EQ(one.disturbance(), 0.9);
}

TEST(TimingSamples, OnlyQuietLaunchesCountWhereThereAreEnough) {
    TimingSamples samples;
    for (int i = 0; i < 6; ++i) {
        samples.add(sample(100 + i, 1.0, 1.05));
        samples.add(sample(180 + i, i % 2 == 0 ? 1.3 : 1.0, i % 2 == 0 ? 1.0 : 1.2));
    }
    EXPECT_EQ(samples.size(), 12u);
    EXPECT_EQ(samples.quiet(), 6u);
    EXPECT_EQ(samples.counted().size(), 6u);
    EXPECT_DOUBLE_EQ(samples.median_ns(), 102.5);
    EXPECT_DOUBLE_EQ(samples.disturbance(), 1.05);
    EXPECT_EQ(samples.raw().size(), 12u);
    EXPECT_NEAR(samples.quiet_seconds(), 615e-9, 1e-12);
    EXPECT_NEAR(samples.seconds(), (615 + 1095) * 1e-9, 1e-12);
}

TEST(TimingSamples, AFastLaunchOnADisturbedMachineCountsNoMoreThanASlowOne) {
    TimingSamples samples;
    for (int i = 0; i < 6; ++i) {
        samples.add(sample(100, 1.0, 1.0));
    }
    for (int i = 0; i < 20; ++i) {
        samples.add(sample(10, 1.5, 1.5));
    }
    EXPECT_DOUBLE_EQ(samples.median_ns(), 100);
}

TEST(TimingSamples, WithoutQuietLaunchesTheLeastDisturbedCountLessWhatAllSuffer) {
    TimingSamples samples;
    for (int i = 0; i < 10; ++i) {
        TimedSample one;
        one.ns = i < 6 ? 240 : 900;
        const double worse = i < 6 ? 0 : 1;
        one.before = {1.2 + worse, 1.4 + worse};
        one.after = {1.2 + worse, 1.6 + worse};
        samples.add(one);
    }
    EXPECT_EQ(samples.quiet(), 0u);
    // Nothing is said to be faster than it was ever seen to be.
    EXPECT_EQ(samples.counted(), std::vector<double>(6, 240));
    samples.add(sample(190, 3, 3));
    EXPECT_EQ(samples.counted(), std::vector<double>(6, 200));
    EXPECT_DOUBLE_EQ(samples.disturbance(), 1.6);
}

TEST(TimingSamples, FewSamplesAllCount) {
    TimingSamples samples;
    EXPECT_FALSE(samples.held_back());
    EXPECT_DOUBLE_EQ(samples.disturbance(), 1);
    samples.add(sample(100, 1, 1));
    samples.add(sample(120, 2, 2));
    EXPECT_EQ(samples.counted().size(), 2u);
}

TEST(TimingSamples, TheMedianIsNotFarBelowTheFastestJudgedLaunch) {
    TimingSamples samples;
    for (int i = 0; i < 8; ++i) {
        samples.add(sample(50, 1, 1));
    }
    for (int i = 0; i < 2; ++i) {
        samples.add(sample(100 + i, 1, 1));
        samples.mark_last_judged();
    }
    EXPECT_TRUE(samples.held_back());
    EXPECT_DOUBLE_EQ(samples.median_ns(), 100);
    samples.add(sample(52, 1, 1));
    samples.mark_last_judged();
    EXPECT_FALSE(samples.held_back());
    EXPECT_DOUBLE_EQ(samples.median_ns(), 50);
}

TEST(TimingSamples, AJudgedLaunchOnADisturbedMachineHoldsNothingBack) {
    TimingSamples samples;
    for (int i = 0; i < 8; ++i) {
        samples.add(sample(50, 1, 1));
    }
    samples.add(sample(75, 1.5, 1));
    samples.mark_last_judged();
    EXPECT_FALSE(samples.held_back());
    samples.clear();
    EXPECT_EQ(samples.size(), 0u);
}

}  // namespace
}  // namespace atl
