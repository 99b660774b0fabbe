#include "reward/gpu/timing_facts.hpp"

#include "tests/unit/cuda/simulated_gpu.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

GpuTimed call_of(std::vector<GpuKernelTime> first) {
    GpuTimed timed;
    timed.samples = {{100, 10, std::move(first)}, {100, 10, {}}};
    return timed;
}

TEST(GpuTimingFacts, ShareTheTimeOutAmongKernels) {
    GpuTimingFacts facts;
    facts.add(call_of({{"fill", 10}, {"sum", 25}, {"sum", 35}}), nullptr);
    facts.add(call_of({{"fill", 10}, {"sum", 60}, {"sum", 60}}), nullptr);
    const GpuTiming timing = facts.report("cupti");
    EXPECT_EQ(timing.clock, "cupti");
    ASSERT_EQ(timing.kernels.size(), 2u);
    EXPECT_EQ(timing.kernels[0].name, "sum") << "most time first";
    EXPECT_EQ(timing.kernels[0].launches, 2);
    EXPECT_DOUBLE_EQ(timing.kernels[0].share, 0.9);
    EXPECT_EQ(timing.kernels[1].launches, 1);
    EXPECT_DOUBLE_EQ(timing.kernels[1].share, 0.1);
    EXPECT_THAT(timing.clocks_mhz, IsEmpty());
}

TEST(GpuTimingFacts, KeepAClockForEveryCall) {
    const DeviceClocks clocks =
        value_or_throw(DeviceClocks::open(ATOLL_SIMULATED_NVML, "00000000:1b:00.0"));
    GpuTimingFacts facts;
    facts.add(call_of({}), &clocks);
    facts.add(call_of({}), &clocks);
    const GpuTiming timing = facts.report("events");
    EXPECT_THAT(timing.clocks_mhz, ElementsAre(1980, 1980));
    EXPECT_THAT(timing.throttling, ElementsAre("power cap"));
    EXPECT_THAT(timing.kernels, IsEmpty()) << "events tell of no kernels";
}

TEST(GpuTimingFacts, CopiesOnTheDeviceHaveABandwidth) {
    const Gpu gpu = value_or_throw(Gpu::open(testing::simulated_driver(), 0));
    const GpuStream stream = value_or_throw(GpuStream::create(gpu));
    EXPECT_GT(value_or_throw(measure_copy_bandwidth(gpu, stream.handle())), 0);
}

}  // namespace
}  // namespace atl
