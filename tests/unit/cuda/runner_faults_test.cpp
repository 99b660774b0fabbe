#include "reward/gpu/runner_faults.hpp"

#include "tests/unit/cuda/simulated_gpu.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

GpuFault fault_of_run(PlanRun::End end, cuda::Result result) {
    return value_or_throw(fault_of({end, result, 0}, Plan(), testing::simulated_driver())).value();
}

TEST(RunnerFaults, OfRefusedLaunchesThoseForWantOfMemoryAreTold) {
    const GpuFault refused = fault_of_run(PlanRun::End::refused, cuda::k_invalid_value);
    EXPECT_EQ(refused.outcome, Outcome::launch_error);
    EXPECT_FALSE(refused.memory_short);
    EXPECT_FALSE(refused.runner_lost);
    const GpuFault without_memory = fault_of_run(PlanRun::End::refused, cuda::k_out_of_memory);
    EXPECT_EQ(without_memory.outcome, Outcome::launch_error);
    EXPECT_TRUE(without_memory.memory_short);
    EXPECT_FALSE(without_memory.runner_lost);
    EXPECT_FALSE(fault_of_run(PlanRun::End::fault, cuda::k_illegal_address).memory_short);
}

TEST(RunnerFaults, ErrorsOfTheDeviceStayErrors) {
    EXPECT_TRUE(value_or_throw(fault_of({ErrorCode::no_space, "full", "", ""})).memory_short);
    EXPECT_FALSE(
        value_or_throw(fault_of({ErrorCode::invalid_argument, "bad", "", ""})).memory_short);
    EXPECT_FALSE(fault_of({ErrorCode::unavailable, "gone", "", ""}));
}

}  // namespace
}  // namespace atl
