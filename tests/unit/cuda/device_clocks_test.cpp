#include "reward/gpu/device_clocks.hpp"

#include "tests/unit/cuda/simulated_gpu.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// NVML is looked for beside the driver.
constexpr const char* k_driver = ATOLL_SIMULATED_NVML;

TEST(DeviceClocks, TellTheClockAndWhyItIsHeldBack) {
    const Gpu gpu = value_or_throw(Gpu::open(testing::simulated_driver(), 0));
    const DeviceClocks clocks =
        value_or_throw(DeviceClocks::open(k_driver, value_or_throw(gpu.bus_id())));
    const DeviceClocks::Reading reading = value_or_throw(clocks.read());
    EXPECT_EQ(reading.multiprocessors_mhz, 1980);
    EXPECT_THAT(reading.throttling, ElementsAre("power cap")) << "idling is no throttling";
}

TEST(DeviceClocks, OfADeviceThatNvmlDoesNotKnowAreAnError) {
    const auto clocks = DeviceClocks::open(k_driver, "00000000:99:00.0");
    ASSERT_FALSE(clocks);
    EXPECT_THAT(clocks.error().message(), HasSubstr("nvmlDeviceGetHandleByPciBusId"));
}

}  // namespace
}  // namespace atl
