#include "reward/device_peaks.hpp"

#include <gtest/gtest.h>
#include <sched.h>

namespace atl {
namespace {

TEST(DevicePeaks, AreMeasuredOnAnAllowedCoreWithoutMovingTheCaller) {
    cpu_set_t before;
    ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
    int core = 0;
    while (!CPU_ISSET(static_cast<std::size_t>(core), &before)) {
        ++core;
    }
    const auto peaks = measure_device_peaks(core);
    ASSERT_TRUE(peaks) << peaks.error().message();
    EXPECT_GT(peaks->flops, 0);
    EXPECT_GT(peaks->bandwidth, 0);
    EXPECT_FALSE(peaks->vector_unit.empty());
    cpu_set_t after;
    ASSERT_EQ(sched_getaffinity(0, sizeof(after), &after), 0);
    EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

TEST(DevicePeaks, ACoreThatDoesNotExistIsAnError) {
    EXPECT_FALSE(measure_device_peaks(-1));
    EXPECT_FALSE(measure_device_peaks(1'000'000));
}

}  // namespace
}  // namespace atl
