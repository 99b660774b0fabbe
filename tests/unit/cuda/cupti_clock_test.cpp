#include "reward/gpu/cupti_clock.hpp"

#include "tests/unit/cuda/runner_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using testing::Buffer;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A runner with a clock that sees the simulated device's work. CUPTI has one clock per process, so
/// that all of it is looked at from outside.
class CuptiClockTest : public testing::WithRunner {
  protected:
    static GpuTimeCall time_call(std::size_t launches) {
        GpuTimeCall call;
        call.output_bytes = {8};
        call.poison = {0};
        call.launches.assign(launches, {{place(0), place(1)}, 0, 0});
        call.cold = false;
        call.limit_ns = 5'000'000'000;
        return call;
    }
    /// A memset, then a kernel of 30 ms, then a copy of nothing.
    static Plan slow_plan() {
        Plan plan = plan_of("slow_ones");
        plan.scratch = {8};
        plan.steps.insert(plan.steps.begin(),
                          {1, PlanMemset{testing::in(Buffer::scratch, 0), 1, 8}});
        plan.steps.push_back(
            {2, PlanCopy{testing::in(Buffer::output, 0), testing::in(Buffer::scratch, 0), 0}});
        return plan;
    }
};

TEST_F(CuptiClockTest, SpansNamesAndAnchorsAreThoseOfEachLaunch) {
    start(ATOLL_SIMULATED_CUPTI);
    const GpuStarted started = value_or_throw(parse_gpu_started(open_device().payload));
    EXPECT_EQ(started.clock, "cupti");
    EXPECT_THAT(started.why_events, IsEmpty());
    share_buffers();
    Plan plan = slow_plan();
    plan.steps.pop_back();
    payload_of(load(0, {{0, plan}}));
    for (int call = 0; call < 2; ++call) {  // records of the first are none of the second
        const GpuTimed timed = time(time_call(2));
        EXPECT_EQ(timed.clock, "cupti") << timed.why_events;
        ASSERT_THAT(timed.samples, SizeIs(2));
        ASSERT_THAT(timed.samples[0].kernels, SizeIs(2));
        EXPECT_EQ(timed.samples[0].kernels[0].name, "memset");
        EXPECT_EQ(timed.samples[0].kernels[1].name, "slow_ones");
        EXPECT_GE(timed.samples[0].kernels[1].ns, 29e6);
        EXPECT_THAT(timed.samples[1].kernels, IsEmpty());
        for (const GpuSample& sample : timed.samples) {
            EXPECT_GE(sample.span_ns, 29e6);
            EXPECT_GT(sample.anchor_ns, 0);
            EXPECT_LT(sample.anchor_ns, 29e6);
        }
    }
}

TEST_F(CuptiClockTest, WhatIsPlayedBetweenCallsIsNotInTheTimes) {
    ready({{0, plan_of("slow_ones")}}, ATOLL_SIMULATED_CUPTI);
    EXPECT_EQ(time(time_call(1)).clock, "cupti");
    EXPECT_FALSE(play(play_call({0, 0})).fault);
    const GpuTimed timed = time(time_call(3));
    EXPECT_EQ(timed.clock, "cupti") << timed.why_events;
    ASSERT_THAT(timed.samples, SizeIs(3));
    EXPECT_LT(timed.samples[0].span_ns, 90e6);
}

TEST_F(CuptiClockTest, RecordsInMoreBuffersThanAreKeptAreAllRead) {
    Plan plan = testing::empty_plan();
    for (int step = 0; step < 20; ++step) {
        plan.steps.push_back({1, PlanMemset{testing::in(Buffer::output, 0), 7, 4}});
    }
    ready({{0, plan}}, ATOLL_SIMULATED_CUPTI);
    for (int call = 0; call < 3; ++call) {
        const GpuTimed timed = time(time_call(20));  // 400 of the plan, and as many ids
        EXPECT_EQ(timed.clock, "cupti") << timed.why_events;
        EXPECT_THAT(timed.samples, SizeIs(20));
    }
}

TEST_F(CuptiClockTest, StepsOfNoBytesHaveNoRecord) {
    // A driver makes no record of a copy of nothing; the simulated one does, so here it is one too
    // many, and the clock must say so instead of guessing.
    ready({{0, slow_plan()}}, ATOLL_SIMULATED_CUPTI);
    const GpuTimed timed = time(time_call(1));
    EXPECT_EQ(timed.clock, "events");
    EXPECT_THAT(timed.why_events, HasSubstr("3 records of 2"));
}

TEST_F(CuptiClockTest, WithoutAllRecordsALaunchIsMeasuredByEvents) {
    ready({{0, plan_of("unseen_kernel")}}, ATOLL_SIMULATED_CUPTI);
    const GpuTimed timed = time(time_call(2));
    EXPECT_FALSE(timed.fault);
    EXPECT_EQ(timed.clock, "events");
    EXPECT_THAT(timed.why_events, HasSubstr("0 records of 1"));
    EXPECT_THAT(timed.samples, SizeIs(2));
}

TEST_F(CuptiClockTest, ASecondTryFindsNothingOfTheFirst) {
    ready({{0, plan_of("unseen_count")}}, ATOLL_SIMULATED_CUPTI);
    EXPECT_EQ(time(time_call(2)).clock, "events");
    EXPECT_EQ(values(1)[0], 2) << "launches that one load of the code saw";
}

TEST_F(CuptiClockTest, ARecordWithoutTimesIsNoMeasurement) {
    ready({{0, plan_of("timeless_kernel")}}, ATOLL_SIMULATED_CUPTI);
    const GpuTimed timed = time(time_call(1));
    EXPECT_EQ(timed.clock, "events");
    EXPECT_THAT(timed.why_events, HasSubstr("no times"));
}

TEST_F(CuptiClockTest, AKernelEndsWhenAllThatItLaunchedHasEnded) {
    ready({{0, plan_of("launching_kernel")}}, ATOLL_SIMULATED_CUPTI);
    const GpuTimed timed = time(time_call(1));
    EXPECT_EQ(timed.clock, "cupti") << timed.why_events;
    ASSERT_THAT(timed.samples, SizeIs(1));
    EXPECT_GE(timed.samples[0].span_ns, 29e6);
}

TEST_F(CuptiClockTest, EventsCanBeAskedForAndCuptiComesBack) {
    ready({{0, plan_of("slow_ones")}}, ATOLL_SIMULATED_CUPTI);
    GpuTimeCall call = time_call(1);
    call.events = true;
    const GpuTimed by_events = time(call);
    EXPECT_EQ(by_events.clock, "events");
    EXPECT_THAT(by_events.why_events, IsEmpty());
    EXPECT_EQ(time(time_call(1)).clock, "cupti");
}

TEST_F(CuptiClockTest, AFaultUnderCuptiIsTheCandidatesAllTheSame) {
    ready({{0, plan_of("out_of_bounds")}}, ATOLL_SIMULATED_CUPTI);
    const GpuTimed timed = time(time_call(2));
    ASSERT_TRUE(timed.fault);
    EXPECT_EQ(timed.fault->outcome, Outcome::memory_fault);
    expect_end_with_channel();
}

}  // namespace
}  // namespace atl
