#include "reward/gpu/timed_launches.hpp"
#include "tests/unit/cuda/runner_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace atl {
namespace {

using testing::Buffer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class GpuRunnerTimeTest : public testing::WithRunner {
  protected:
    /// Launches of workload 0: x (buffer 0) is made anew, y is buffer 1 and buffer 2 by turns.
    static GpuTimeCall time_call(std::size_t launches) {
        GpuTimeCall call;
        GpuRefill refill;
        refill.generator = {"ramp", {{"start", 1}, {"step", 2}}};
        refill.count = 2;
        call.refills = {refill};
        call.output_bytes = {8};
        call.poison = {0xff};
        for (std::size_t i = 0; i < launches; ++i) {
            call.launches.push_back({{place(0), place(1 + i % 2)}, i, 0});
        }
        call.cold = false;
        call.limit_ns = 5'000'000'000;
        return call;
    }
    std::vector<float> tensor(std::size_t index) { return {values(index), values(index) + 2}; }
};

TEST_F(GpuRunnerTimeTest, EachLaunchHasItsOwnTensorsAndASample) {
    ready({{0, scale_plan()}});
    GpuTimeCall call = time_call(2);
    call.cold = true;
    const GpuTimed timed = time(call);
    EXPECT_FALSE(timed.fault) << timed.fault->reason;
    EXPECT_EQ(timed.clock, "events");
    EXPECT_THAT(timed.why_events, IsEmpty());
    ASSERT_THAT(timed.samples, SizeIs(2));
    EXPECT_GE(timed.samples[0].span_ns, 0);
    EXPECT_THAT(timed.samples[0].kernels, IsEmpty());
    EXPECT_THAT(tensor(0), ElementsAre(1, 2));  // a ramp of two elements
    EXPECT_THAT(tensor(1), ElementsAre(3, 6));
    EXPECT_THAT(tensor(2), ElementsAre(3, 6));
}

TEST_F(GpuRunnerTimeTest, TheSpanIsThatOfThePlanAlone) {
    ready({{0, plan_of("slow_ones")}});
    const GpuTimed timed = time(time_call(3));
    ASSERT_THAT(timed.samples, SizeIs(3));
    for (const GpuSample& sample : timed.samples) {
        EXPECT_GE(sample.span_ns, 29e6);  // the kernel sleeps for 30 ms
        EXPECT_LT(sample.anchor_ns, 29e6);
    }
}

TEST_F(GpuRunnerTimeTest, OutputsArePoisonedBeforeEveryLaunch) {
    Plan nothing = testing::empty_plan();
    nothing.steps.push_back({1, PlanMemset{testing::in(Buffer::output, 0), 7, 4}});
    ready({{0, nothing}});
    EXPECT_FALSE(time(time_call(2)).fault);
    std::uint32_t words[2];
    std::memcpy(words, values(1), sizeof(words));
    EXPECT_EQ(words[0], 0x07070707u);
    EXPECT_EQ(words[1], 0xffffffffu);
}

TEST_F(GpuRunnerTimeTest, ScratchMemoryIsFilledBeforeEveryLaunch) {
    Plan plan = testing::empty_plan();
    plan.scratch = {8};
    plan.steps.push_back(
        {1, PlanCopy{testing::in(Buffer::output, 0), testing::in(Buffer::scratch, 0), 8}});
    plan.steps.push_back({2, PlanMemset{testing::in(Buffer::scratch, 0), 7, 8}});
    ready({{0, plan}});
    GpuTimeCall call = time_call(2);
    call.poison = {0x11};
    EXPECT_FALSE(time(call).fault);
    for (const std::size_t output : {1, 2}) {
        std::uint32_t word = 0;
        std::memcpy(&word, values(output), sizeof(word));
        EXPECT_EQ(word, 0xffffffffu) << "of buffer " << output;
    }
}

TEST_F(GpuRunnerTimeTest, AHangBeforeMoreStepsThanAStreamTakesEndsAtTheLimit) {
    Plan plan = plan_of("for_ever");
    plan.steps.resize(3000, {42, PlanMemset{testing::in(Buffer::output, 0), 0, 8}});
    ready({{0, plan}});
    GpuTimeCall call = time_call(1);
    call.limit_ns = 50'000'000;
    const GpuTimed timed = time(call);
    ASSERT_TRUE(timed.fault);
    EXPECT_EQ(timed.fault->outcome, Outcome::timeout);
    expect_end_with_channel();
}

TEST_F(GpuRunnerTimeTest, CopiesComeFromTheLaunchesDonor) {
    ready({{0, scale_plan()}});
    share_buffers(false);  // 3, 4, 5
    values(3)[0] = 10;
    values(4)[0] = 20;
    GpuTimeCall call = time_call(2);
    call.refills[0].generator = {"copy", {}};
    call.refills[0].donors = {place(3), place(4)};
    call.launches[1].donor = 1;
    EXPECT_FALSE(time(call).fault);
    EXPECT_EQ(values(1)[0], 30);
    EXPECT_EQ(values(2)[0], 60);
    call.launches[1].donor = 2;
    EXPECT_THAT(error_of(ask(to_json(call))).message(), HasSubstr("no donor 2"));
}

TEST_F(GpuRunnerTimeTest, PlansThatWriteFromTheHostKeepEveryLaunchsTensors) {
    // The address of each launch's output, written by the host and read by the kernel.
    Plan plan = testing::empty_plan();
    plan.scratch = {24};
    PlanData pair{std::vector<std::uint8_t>(24),
                  {{8, testing::in(Buffer::input, 0)}, {16, testing::in(Buffer::output, 0)}}};
    pair.bytes[0] = 2;
    plan.steps.push_back({1, PlanMemset{testing::in(Buffer::output, 0), 0, 8}});
    plan.steps.push_back({2, PlanWrite{testing::in(Buffer::scratch, 0), pair}});
    plan.steps.push_back({3, testing::launch_of("add", {pair})});
    ready({{0, plan}});
    const GpuTimed timed = time(time_call(4));
    EXPECT_FALSE(timed.fault);
    EXPECT_THAT(timed.samples, SizeIs(4));
    EXPECT_THAT(tensor(1), ElementsAre(1, 2));
    EXPECT_THAT(tensor(2), ElementsAre(1, 2));
}

TEST_F(GpuRunnerTimeTest, MoreLaunchesThanAStreamTakesAtOnce) {
    Plan plan = scale_plan();
    plan.steps.resize(40, plan.steps[0]);
    ready({{0, plan}});
    const GpuTimed timed = time(time_call(64));
    EXPECT_FALSE(timed.fault);
    EXPECT_THAT(timed.samples, SizeIs(64));
}

TEST_F(GpuRunnerTimeTest, AFaultIsAnsweredAndTheRunnerEndsWithItsChannelWithItsChannel) {
    ready({{0, plan_of("out_of_bounds")}});
    const GpuTimed timed = time(time_call(8));
    ASSERT_TRUE(timed.fault);
    EXPECT_EQ(timed.fault->outcome, Outcome::memory_fault);
    EXPECT_TRUE(timed.fault->runner_lost);
    EXPECT_THAT(timed.samples, IsEmpty());
    expect_end_with_channel();
}

TEST_F(GpuRunnerTimeTest, AHangIsAnsweredAndTheRunnerEndsWithItsChannel) {
    ready({{0, plan_of("for_ever")}});
    GpuTimeCall call = time_call(2);
    call.limit_ns = 50'000'000;
    const GpuTimed timed = time(call);
    ASSERT_TRUE(timed.fault);
    EXPECT_EQ(timed.fault->outcome, Outcome::timeout);
    EXPECT_TRUE(timed.fault->runner_lost);
    expect_end_with_channel();
}

TEST_F(GpuRunnerTimeTest, ARefusedLaunchIsTheCandidatesAndTheRunnerStays) {
    Plan refused = scale_plan();
    std::get<PlanLaunch>(refused.steps[0].what).block = {2048, 1, 1};
    ready({{0, refused}, {1, scale_plan()}});
    const GpuTimed timed = time(time_call(2));
    ASSERT_TRUE(timed.fault);
    EXPECT_EQ(timed.fault->outcome, Outcome::launch_error);
    EXPECT_FALSE(timed.fault->runner_lost);
    GpuTimeCall call = time_call(1);
    call.workload = 1;
    EXPECT_FALSE(time(call).fault);
}

TEST_F(GpuRunnerTimeTest, CallsThatMakeNoSenseFail) {
    ready({{0, scale_plan()}});
    GpuTimeCall call = time_call(1);
    call.poison.clear();
    EXPECT_THAT(error_of(ask(to_json(call))).message(), HasSubstr("outputs"));
    call = time_call(1);
    call.output_bytes = {9};
    EXPECT_THAT(error_of(ask(to_json(call))).message(), HasSubstr("output 0"));
    call = time_call(1);
    call.refills[0].tensor = 2;
    EXPECT_THAT(error_of(ask(to_json(call))).message(), HasSubstr("no tensor 2"));
    call = time_call(1);
    call.refills[0].count = 3;
    EXPECT_THAT(error_of(ask(to_json(call))).message(), HasSubstr("leave buffer 0"));
    EXPECT_FALSE(time(time_call(1)).fault);
}

constexpr const char* k_counting = R"(
    extern "C" { extern const unsigned counts_sizes[]; const unsigned counts_sizes[] = {8, 0}; }
    SIMULATED_KERNEL(counts) {
        float* const y = at<float*>(parameters, 0);
        y[0] = y[0] != y[0] ? 1 : y[0] + 1;
        return 0;
    }
    SIMULATED_KERNEL(finds) {
        static int found = 0;
        float* const x = at<float*>(parameters, 0);
        found += x[0] == 77 ? 1 : 0;
        x[0] = 77;
        at<float*>(parameters, 1)[0] = float(found);
        return 0;
    }
)";

class RepeatedPlaysTest : public GpuRunnerTimeTest {
  protected:
    /// How often the kernel ran on its output since that was poisoned.
    float plays_of(const GpuTimeCall& call) { return answer_of(plan_of("counts"), call); }

    /// How often the kernel met inputs that it had met before.
    float known_inputs_of(const GpuTimeCall& call) {
        Plan plan = testing::empty_plan();
        plan.steps.push_back(
            {1, testing::launch_of("finds",
                                   {testing::pointer(testing::in(testing::Buffer::input, 0)),
                                    testing::pointer(testing::in(testing::Buffer::output, 0))})});
        return answer_of(plan, call);
    }

    float answer_of(const Plan& plan, const GpuTimeCall& call) {
        if (!m_channel) {
            start();
            open_device();
            share_buffers();
        }
        std::vector<FileHandle> handles;
        handles.push_back(
            value_or_throw(write_gpu_package({testing::simulated_cubin(k_counting), {{0, plan}}})));
        payload_of(ask(to_json(GpuLoadCall{0}), std::move(handles)));
        m_timed = time(call);
        EXPECT_FALSE(m_timed.fault);
        EXPECT_THAT(m_timed.samples, SizeIs(call.launches.size() / call.batch));
        return values(1)[0];
    }
    GpuTimed m_timed;
    static GpuTimeCall call_on_one_slot(std::size_t launches) {
        GpuTimeCall call = time_call(launches);
        for (GpuTimedLaunch& launch : call.launches) {
            launch.tensors[1] = place(1);
        }
        return call;
    }
};

TEST_F(RepeatedPlaysTest, InputsMadeOnceStayButForTheLastLaunchAndOutputsNever) {
    GpuTimeCall call = call_on_one_slot(4);
    EXPECT_EQ(plays_of(call), 1);
    EXPECT_EQ(known_inputs_of(call), 0);
    call.made_once = true;
    EXPECT_EQ(plays_of(call), 1);
    EXPECT_EQ(known_inputs_of(call), 2) << "those of the second and the third";
}

TEST_F(RepeatedPlaysTest, LaunchesOfABatchFollowEachOtherAndHaveOneSample) {
    GpuTimeCall call = call_on_one_slot(6);
    call.events = true;
    call.batch = 3;
    EXPECT_EQ(plays_of(call), 3) << "nothing is overwritten in between";
    EXPECT_EQ(m_timed.batch, 3u);
    for (std::size_t i = 0; i < call.launches.size(); ++i) {
        call.launches[i].tensors[1] = place(i % 3 == 1 ? 1 : 2);
    }
    EXPECT_EQ(plays_of(call), 1) << "each is played in its own place";
    call.batch = 4;
    EXPECT_THAT(error_of(ask(to_json(call))).message(), HasSubstr("batch"));
    call.batch = 3;
    call.events = false;
    EXPECT_THAT(error_of(ask(to_json(call))).message(), HasSubstr("batch"));
}

// Their bytes are in the host's memory until they were copied.
TEST_F(RepeatedPlaysTest, OfPlansThatWriteConstantsOneLaunchOfABatchIsPlayed) {
    GpuTimeCall call = call_on_one_slot(6);
    call.events = true;
    call.batch = 3;
    Plan plan = plan_of("counts");
    plan.scratch = {8};
    plan.steps.push_back(
        {2, PlanWrite{testing::in(testing::Buffer::scratch, 0), testing::value(1.5F)}});
    EXPECT_EQ(answer_of(plan, call), 1);
    EXPECT_EQ(m_timed.batch, 1u);
}

}  // namespace
}  // namespace atl
