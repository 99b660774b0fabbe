#include "reward/verifier/timing_samples.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace atl {
namespace {

TimedSample sample(double ns, double before, double after) {
    TimedSample made;
    made.ns = ns;
    made.before.issue = before;
    made.after.issue = after;
    return made;
}

TEST(TimedSample, IsAsDisturbedAsTheWorseOfItsReadings) {
    EXPECT_DOUBLE_EQ(sample(100, 1.5, 1).disturbance(), 1.5);
    EXPECT_DOUBLE_EQ(sample(100, 1, 1.4).disturbance(), 1.4);
}

TEST(TimedSample, IsStatedAtTheClockOfBeforeTheLaunch) {
    TimedSample one = sample(120, 1, 1);
    one.before.clock = 1.2;
    one.after.clock = 3;  // a kernel that slows its core down gains nothing by it
    EXPECT_DOUBLE_EQ(one.scaled_ns(), 100);
}

TEST(TimingSamples, AreAllStatedAtOneClock) {
    TimingSamples samples;
    for (int i = 0; i < 9; ++i) {
        TimedSample one = sample(100, 1, 1);
        one.before.clock = 1 + 0.1 * i;
        one.ns *= one.before.clock;
        samples.add(one);
    }
    EXPECT_DOUBLE_EQ(samples.median_ns(), 100);
    EXPECT_DOUBLE_EQ(samples.clock(), 1.4);
    EXPECT_DOUBLE_EQ(samples.raw()[5], 150);
}

TEST(TimingSamples, OnlyQuietLaunchesCountWhereThereAreEnough) {
    TimingSamples samples;
    for (int i = 0; i < 6; ++i) {
        samples.add(sample(100 + i, 1.0, 1.015));
        samples.add(sample(180 + i, i % 2 == 0 ? 1.3 : 1.0, i % 2 == 0 ? 1.0 : 1.2));
    }
    EXPECT_EQ(samples.size(), 12u);
    EXPECT_EQ(samples.quiet(), 6u);
    EXPECT_EQ(samples.counted().size(), 6u);
    EXPECT_DOUBLE_EQ(samples.median_ns(), 102.5);
    EXPECT_DOUBLE_EQ(samples.disturbance(), 1.015);
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
        samples.add(i < 6 ? sample(240, 1.2, 1.6) : sample(900, 2.2, 2.6));
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
    samples.add(sample(75, 1.6, 1.5));
    samples.mark_last_judged();
    EXPECT_FALSE(samples.held_back());
    samples.clear();
    EXPECT_EQ(samples.size(), 0u);
}

// It may have taken 75 because a right answer takes that long: the ratio after it says so.
TEST(TimingSamples, GarbageGainsNothingWhereJudgedLaunchesAreDisturbedOnOneSide) {
    TimingSamples samples;
    for (int i = 0; i < 8; ++i) {
        samples.add(sample(50, 1, 1));
    }
    samples.add(sample(75, 1.5, 1));
    samples.mark_last_judged();
    EXPECT_TRUE(samples.held_back());
    EXPECT_DOUBLE_EQ(samples.median_ns(), 75);
    EXPECT_TRUE(samples.is_noisy(10));
}

TEST(TimingSamples, NoisyIsWhatIsNotToBeReliedOn) {
    TimingSamples samples;
    for (int i = 0; i < 5; ++i) {
        samples.add(sample(100, 1, 1));
    }
    EXPECT_TRUE(samples.is_noisy(0.01));  // too few
    samples.add(sample(100, 1, 1));
    EXPECT_FALSE(samples.is_noisy(0.01));
    samples.add(sample(230, 1, 1));
    samples.mark_last_judged();  // disturbed in its middle, where no anchor sees it
    EXPECT_TRUE(samples.held_back());
    EXPECT_TRUE(samples.is_noisy(10));
    samples.add(sample(101, 1, 1));
    samples.mark_last_judged();
    EXPECT_FALSE(samples.is_noisy(10));
}

TEST(TimingSamples, WhereMostLaunchesAreDisturbedTheOthersAreNoisy) {
    TimingSamples samples;
    for (int i = 0; i < 14; ++i) {
        samples.add(i % 2 == 0 ? sample(100, 1, 1) : sample(150, 1.5, 1.5));
    }
    EXPECT_FALSE(samples.is_noisy(0.01));
    samples.add(sample(150, 1.5, 1));
    EXPECT_TRUE(samples.is_noisy(0.01));
    EXPECT_DOUBLE_EQ(samples.median_ns(), 100);
}

TEST(TimingSamples, WithoutQuietLaunchesTheIntervalReachesUpToTheUndivided) {
    TimingSamples samples;
    for (int i = 0; i < 12; ++i) {
        samples.add(sample(150 + i, 1.5, 1.5));
    }
    EXPECT_DOUBLE_EQ(samples.interval().low, 150);  // nothing is below the fastest launch
    EXPECT_GE(samples.interval().high, 155);
    EXPECT_FALSE(samples.is_narrow(0.01));
    for (int i = 0; i < 6; ++i) {
        samples.add(sample(100, 1, 1));
    }
    EXPECT_DOUBLE_EQ(samples.interval().high, 100);
}

TEST(TimingSamples, WithoutQuietLaunchesHalfOfThemCount) {
    TimingSamples samples;
    for (int i = 0; i < 40; ++i) {
        samples.add(sample(150, 1.5, 1.5 + 0.01 * i));
    }
    EXPECT_EQ(samples.counted().size(), 20u);
}

TEST(TimingSamples, AnIntervalThreeTimesTooWideIsNoisy) {
    TimingSamples samples;
    for (int i = 0; i < 6; ++i) {
        samples.add(sample(100 + i, 1, 1));  // +-2.5 of 102.5
    }
    EXPECT_FALSE(samples.is_narrow(0.02));
    EXPECT_TRUE(samples.is_narrow(0.025));
    EXPECT_TRUE(samples.is_noisy(0.02 / TimingSamples::k_noisy_factor));
    EXPECT_FALSE(samples.is_noisy(0.025 / TimingSamples::k_noisy_factor));
}

}  // namespace
}  // namespace atl
