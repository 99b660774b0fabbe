#include "reward/cuda/plan_run.hpp"

#include "tests/unit/cuda/plan_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace atl {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using End = PlanRun::End;

class PlanRunTest : public testing::WithPlans {
  protected:
    /// One step on line 41: a launch of that kernel.
    static Plan plan_of(const std::string& kernel) {
        Plan plan = testing::empty_plan();
        plan.steps.push_back({41, testing::launch_of(kernel, {})});
        return plan;
    }
    PlanRun run(const Plan& plan, milliseconds limit) {
        PlanPlayer player = value_or_throw(PlanPlayer::load(m_gpu, m_cubin, plan));
        value_or_throw(player.bind(m_tensors));
        return run_plan(m_gpu, player, m_stream.handle(), limit);
    }
    /// A fault sticks to the process and a hang keeps a thread: what is left of `run` after one is
    /// looked at by `right`, in a process of its own.
    void in_a_process(const Plan& plan, milliseconds limit,
                      const std::function<bool(const PlanRun&)>& right) {
        GTEST_FLAG_SET(death_test_style, "threadsafe");
        const auto child = [&] {
            PlanPlayer player = value_or_throw(PlanPlayer::load(m_gpu, m_cubin, plan));
            value_or_throw(player.bind(m_tensors));
            std::_Exit(right(run_plan(m_gpu, player, m_stream.handle(), limit)) ? 0 : 1);
        };
        EXPECT_EXIT(child(), ::testing::ExitedWithCode(0), "");
    }
};

TEST_F(PlanRunTest, WaitsUntilAllIsDone) {
    Plan plan = testing::empty_plan();
    plan.steps.push_back({1, PlanMemset{testing::in(testing::Buffer::output, 0), 0, 8}});
    plan.steps.push_back({2, testing::launch_of("slow_ones", {testing::pointer(testing::in(
                                                                 testing::Buffer::output, 0))})});
    const PlanRun ended = run(plan, milliseconds(10'000));
    EXPECT_EQ(ended.end, End::done);
    EXPECT_FALSE(ended.outcome());
    EXPECT_THAT(answer(), ElementsAre(1, 1));
}

TEST_F(PlanRunTest, ARefusedLaunchNamesItsStepAndLeavesTheProcessWell) {
    Plan plan = plan_of("scale");
    std::get<PlanLaunch>(plan.steps[0].what).block = {2048, 1, 1};
    const PlanRun ended = run(plan, milliseconds(10'000));
    EXPECT_EQ(ended.end, End::refused);
    EXPECT_EQ(ended.outcome(), Outcome::launch_error);
    EXPECT_THAT(ended.reason(plan, m_gpu.driver()),
                HasSubstr("step 1 (line 41): CUDA_ERROR_INVALID_VALUE"));
    EXPECT_TRUE(GpuBuffer::allocate(m_gpu, 1));
}

TEST_F(PlanRunTest, AFaultIsTheCandidatesAndSticksToTheProcess) {
    const Plan plan = plan_of("out_of_bounds");
    in_a_process(plan, milliseconds(10'000), [&](const PlanRun& ended) {
        return ended.end == End::fault && ended.outcome() == Outcome::memory_fault &&
               ended.reason(plan, m_gpu.driver()) ==
                   "the kernel (line 41) faulted: CUDA_ERROR_ILLEGAL_ADDRESS" &&
               !GpuBuffer::allocate(m_gpu, 1) && !GpuStream::create(m_gpu);
    });
}

TEST_F(PlanRunTest, AFaultOfALaterStepIsFoundAlthoughAllWereQueued) {
    Plan plan = plan_of("slow_ones");
    std::get<PlanLaunch>(plan.steps[0].what).arguments = {
        testing::pointer(testing::in(testing::Buffer::output, 0))};
    plan.steps.push_back({42, testing::launch_of("out_of_bounds", {})});
    in_a_process(plan, milliseconds(10'000), [&](const PlanRun& ended) {
        return ended.end == End::fault &&
               ended.reason(plan, m_gpu.driver()).find("first 2 steps") != std::string::npos;
    });
}

TEST_F(PlanRunTest, AHangEndsAtTheLimit) {
    in_a_process(plan_of("for_ever"), milliseconds(50), [](const PlanRun& ended) {
        return ended.end == End::hang && ended.outcome() == Outcome::timeout;
    });
}

TEST_F(PlanRunTest, AHangBeforeMoreStepsThanAStreamTakesEndsAtTheLimit) {
    Plan plan = plan_of("for_ever");
    plan.steps.resize(3000, {42, PlanMemset{testing::in(testing::Buffer::output, 0), 0, 8}});
    in_a_process(plan, milliseconds(50), [](const PlanRun& ended) {
        return ended.end == End::hang && ended.outcome() == Outcome::timeout;
    });
}

TEST_F(PlanRunTest, MoreStepsThanAStreamTakesAreAllDone) {
    Plan plan = testing::empty_plan();
    plan.steps.resize(3000, {1, PlanMemset{testing::in(testing::Buffer::output, 0), 0, 8}});
    EXPECT_EQ(run(plan, milliseconds(10'000)).end, End::done);
}

TEST_F(PlanRunTest, WhatTheDriverSaysOfALaunchItselfIsTheCandidates) {
    const auto ended = [this](cuda::Result queued) {
        return wait_for_plan(m_gpu, m_stream.handle(), queued, 0,
                             std::chrono::steady_clock::now() + milliseconds(1000));
    };
    for (const cuda::Result refused : {1, 2, 200, 209, 218, 500, 701, 720, 801, 912}) {
        EXPECT_EQ(ended(refused).outcome(), Outcome::launch_error) << refused;
    }
    for (const cuda::Result failed : {3, 100, 201, 214, 304, 802, 999}) {
        EXPECT_EQ(ended(failed).end, End::lost) << failed;
    }
}

TEST_F(PlanRunTest, ALostDeviceIsNobodysFault) {
    in_a_process(plan_of("loses_the_device"), milliseconds(10'000),
                 [&](const PlanRun& ended) { return ended.end == End::lost && !ended.outcome(); });
}

TEST(PlanRun, EveryFaultHasAnOutcome) {
    const auto outcome = [](cuda::Result result) {
        return PlanRun{End::fault, result, 0}.outcome();
    };
    EXPECT_EQ(outcome(cuda::k_illegal_address), Outcome::memory_fault);
    EXPECT_EQ(outcome(cuda::k_misaligned_address), Outcome::memory_fault);
    EXPECT_EQ(outcome(cuda::k_illegal_instruction), Outcome::crash);
    EXPECT_EQ(outcome(cuda::k_launch_failed), Outcome::crash);
    EXPECT_EQ(outcome(cuda::k_assert), Outcome::crash);
    EXPECT_EQ(outcome(cuda::k_launch_timeout), Outcome::timeout);
}

}  // namespace
}  // namespace atl
