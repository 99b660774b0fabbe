#include "reward/gpu/gpu_measure.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

TEST(GpuMeasure, ShortLaunchesAreComparedInBatches) {
    EXPECT_EQ(event_batch_for(100'000), 1u);
    EXPECT_EQ(event_batch_for(1e9), 1u);
    EXPECT_EQ(event_batch_for(99'999), 3u);
    EXPECT_EQ(event_batch_for(50'000), 4u);
    EXPECT_EQ(event_batch_for(30'000), 7u);
    EXPECT_EQ(event_batch_for(1'000), 16u);
    EXPECT_EQ(event_batch_for(0), 16u) << "a clock that says so is looked at closely";
}

GpuTimes times_of(const std::vector<double>& spans, const std::vector<double>& judged) {
    GpuTimes times;
    times.spans_ns = spans;
    times.slots.assign(spans.size(), 0);
    times.judged_ns = judged;
    return times;
}

TEST(GpuMeasure, JudgedLaunchesThatWereAllSlowCount) {
    const std::vector<double> spans{100, 101, 99, 100, 102, 98, 100, 120};
    EXPECT_NEAR(times_of(spans, {}).middle_ns(), 100, 2);
    EXPECT_NEAR(times_of(spans, {101, 120}).middle_ns(), 100, 2);
    EXPECT_FALSE(times_of(spans, {101, 120}).held_back());
    EXPECT_EQ(times_of(spans, {120}).middle_ns(), 120);
    EXPECT_TRUE(times_of(spans, {120}).held_back());
    EXPECT_FALSE(times_of(spans, {}).held_back());
}

// What one slot is slower than another does not make the interval wide.
TEST(GpuMeasure, SlotsThatDifferAreNoNoise) {
    GpuTimes times = times_of({}, {});
    for (std::uint32_t i = 0; i < 24; ++i) {
        times.spans_ns.push_back(100'000 + 4'000 * (i % 3) + 10 * (i % 5));
        times.slots.push_back(30 + i % 3);
    }
    EXPECT_NEAR(times.centre().middle, 104'020, 20);
    EXPECT_LT(times.centre().high - times.centre().low, 100);
}

}  // namespace
}  // namespace atl
