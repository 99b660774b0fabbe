#include "reward/gpu/profile_metrics.hpp"
#include "tests/unit/cuda/runner_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using testing::Buffer;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::SizeIs;

/// A runner whose CUPTI counts what the simulated device does.
class GpuRunnerProfileTest : public testing::WithRunner {
  protected:
    static GpuProfileCall profile_call() {
        GpuProfileCall call;
        call.launch.output_bytes = {8};
        call.launch.poison = {0};
        call.launch.launches = {{{place(0), place(1)}, 0, 0}};
        call.launch.limit_ns = 5'000'000'000;
        return call;
    }
    GpuProfiled profile() {
        return value_or_throw(parse_gpu_profiled(payload_of(ask(to_json(profile_call())))));
    }
    /// A fill, then two kernels.
    static Plan two_kernels() {
        Plan plan = scale_plan();
        plan.steps.insert(plan.steps.begin(),
                          {1, PlanMemset{testing::in(Buffer::output, 0), 1, 8}});
        plan.steps.push_back(plan_of("slow_ones").steps[0]);
        return plan;
    }
};

TEST_F(GpuRunnerProfileTest, EveryKernelOfThePlanIsCounted) {
    ready({{0, two_kernels()}}, ATOLL_SIMULATED_CUPTI);
    values(0)[0] = 2;
    const GpuProfiled profiled = profile();
    EXPECT_FALSE(profiled.fault);
    EXPECT_THAT(profiled.counters.why_none, IsEmpty());
    ASSERT_THAT(profiled.counters.kernels, SizeIs(2)) << "neither fills nor the anchor count";
    const KernelCounters& first = profiled.counters.kernels[0];
    EXPECT_EQ(first.kernel, "scale");
    EXPECT_EQ(first.blocks, 2u);
    EXPECT_EQ(first.threads_per_block, 1u);
    EXPECT_EQ(first.metrics.at(metric::k_time), 1000);
    EXPECT_EQ(first.metrics.at(metric::k_dram), 85);
    EXPECT_THAT(first.metrics, Not(Contains(Key(metric::k_instructions)))) << "it was no number";
    EXPECT_THAT(first.metrics, Not(Contains(Key(metric::k_shared)))) << "the chip has none";
    EXPECT_EQ(profiled.counters.kernels[1].kernel, "slow_ones");
}

TEST_F(GpuRunnerProfileTest, TimedLaunchesGoOnAroundIt) {
    ready({{0, scale_plan()}}, ATOLL_SIMULATED_CUPTI);
    EXPECT_EQ(time(profile_call().launch).clock, "cupti");
    EXPECT_THAT(profile().counters.kernels, SizeIs(1));
    EXPECT_EQ(time(profile_call().launch).clock, "cupti");
    EXPECT_THAT(profile().counters.kernels, SizeIs(1));
}

TEST_F(GpuRunnerProfileTest, WhereNotAllIsCountedNamesAreNotGuessed) {
    Plan plan = two_kernels();
    plan.steps.push_back(plan_of("unseen_kernel").steps[0]);
    ready({{0, plan}}, ATOLL_SIMULATED_CUPTI);
    const GpuProfiled profiled = profile();
    ASSERT_THAT(profiled.counters.kernels, SizeIs(2));
    EXPECT_THAT(profiled.counters.kernels[0].kernel, IsEmpty());
}

TEST_F(GpuRunnerProfileTest, ALongPlanIsNotCounted) {
    Plan plan = scale_plan();
    plan.steps.resize(k_most_counted_launches, plan.steps[0]);
    Plan longer = plan;
    longer.steps.push_back(plan.steps[0]);
    ready({{0, plan}}, ATOLL_SIMULATED_CUPTI);
    EXPECT_THAT(profile().counters.kernels, SizeIs(k_most_counted_launches));
    payload_of(load(0, {{0, longer}}));
    const GpuProfiled profiled = profile();
    EXPECT_THAT(profiled.counters.kernels, IsEmpty());
    EXPECT_THAT(profiled.counters.why_none, HasSubstr("launches 33 kernels"));
}

TEST_F(GpuRunnerProfileTest, WithoutPermissionItSaysSo) {
    ready({{0, scale_plan()}}, ATOLL_SIMULATED_CUPTI_WITHOUT_COUNTERS);
    const GpuProfiled profiled = profile();
    EXPECT_FALSE(profiled.fault);
    EXPECT_THAT(profiled.counters.kernels, IsEmpty());
    EXPECT_THAT(profiled.counters.why_none, HasSubstr("NVreg_RestrictProfilingToAdminUsers"));
}

TEST_F(GpuRunnerProfileTest, WithoutCuptiItSaysSoAndTheRunnerStays) {
    ready({{0, scale_plan()}});
    const GpuProfiled profiled = profile();
    EXPECT_THAT(profiled.counters.why_none, HasSubstr("no CUPTI"));
    EXPECT_FALSE(play(play_call({0})).fault);
}

TEST_F(GpuRunnerProfileTest, AFaultIsAnsweredAndTheRunnerEndsWithItsChannel) {
    ready({{0, plan_of("out_of_bounds")}}, ATOLL_SIMULATED_CUPTI);
    const GpuProfiled profiled = profile();
    ASSERT_TRUE(profiled.fault);
    EXPECT_EQ(profiled.fault->outcome, Outcome::memory_fault);
    EXPECT_THAT(profiled.counters.kernels, IsEmpty());
    expect_end_with_channel();
}

TEST_F(GpuRunnerProfileTest, CallsThatMakeNoSenseFail) {
    ready({{0, scale_plan()}}, ATOLL_SIMULATED_CUPTI);
    GpuProfileCall call = profile_call();
    call.launch.launches.push_back(call.launch.launches[0]);
    EXPECT_THAT(error_of(ask(to_json(call))).message(), HasSubstr("one launch"));
    call = profile_call();
    call.launch.workload = 3;
    EXPECT_THAT(error_of(ask(to_json(call))).message(), HasSubstr("workload 3"));
}

}  // namespace
}  // namespace atl
