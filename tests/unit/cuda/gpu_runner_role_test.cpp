#include "reward/gpu/gpu_runner_role.hpp"

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

class GpuRunnerRoleTest : public testing::WithRunner {};

TEST_F(GpuRunnerRoleTest, SaysWhichDeviceAndClockItHas) {
    start();
    const Frame answer = open_device();
    ASSERT_EQ(answer.type, FrameType::gpu_started);
    EXPECT_EQ(answer.request, 1u);
    const GpuStarted started = value_or_throw(parse_gpu_started(answer.payload));
    EXPECT_EQ(started.device, "simulated device");
    EXPECT_EQ(started.clock, "events");
    EXPECT_THAT(started.why_events, HasSubstr("no CUPTI"));
    EXPECT_THAT(error_of(open_device()).message(), HasSubstr("open already"));
    m_runner->stop(k_patience);
    expect_end(0);
}

TEST_F(GpuRunnerRoleTest, ACuptiThatIsNoneIsNamedAndDoneWithout) {
    start("/no/such/libcupti.so");
    const GpuStarted started = value_or_throw(parse_gpu_started(open_device().payload));
    EXPECT_EQ(started.clock, "events");
    EXPECT_THAT(started.why_events, HasSubstr("/no/such/libcupti.so"));
}

TEST_F(GpuRunnerRoleTest, PlaysOnTheMemoryOfTheVerifier) {
    ready({{0, testing::WithRunner::scale_plan()}});
    values(0)[0] = 1.5f;
    values(0)[1] = -2;
    const GpuPlayed played = play(play_call({0, 0}));
    EXPECT_FALSE(played.fault);
    EXPECT_THAT(played.wall_ns, SizeIs(2));
    EXPECT_GT(played.wall_ns[0], 0);
    EXPECT_THAT(std::vector<float>(values(1), values(1) + 2), ElementsAre(4.5f, -6));
}

TEST_F(GpuRunnerRoleTest, BuffersAreNumberedOnUntilTheyAreForgotten) {
    ready({{0, scale_plan()}});
    share_buffers(false);
    values(3)[0] = 2;
    GpuPlayCall call = play_call({0});
    call.plays[0].tensors = {place(3), place(4)};
    EXPECT_FALSE(play(call).fault);
    EXPECT_EQ(values(4)[0], 6);
    share_buffers(true);
    EXPECT_THAT(error_of(ask(to_json(call))).message(), HasSubstr("no buffer 3"));
}

TEST_F(GpuRunnerRoleTest, GlobalsOfTheDeviceDoNotOutliveAPlay) {
    // Workload 0 leaves a value in a global variable; workload 1 adds that variable.
    Plan leaves = testing::empty_plan();
    leaves.symbols = {{"table", 8}};
    leaves.steps.push_back({1, PlanWrite{testing::in(Buffer::symbol, 0), testing::value(5.0f)}});
    Plan adds = testing::empty_plan();
    PlanData pair{std::vector<std::uint8_t>(24),
                  {{8, testing::in(Buffer::input, 0)}, {16, testing::in(Buffer::output, 0)}}};
    pair.bytes[0] = 1;
    adds.steps.push_back({2, testing::launch_of("add", {pair})});
    ready({{0, leaves}, {1, adds}});
    values(0)[0] = 1;
    EXPECT_FALSE(play(play_call({0, 1})).fault);
    EXPECT_EQ(values(1)[0], 1);
}

TEST_F(GpuRunnerRoleTest, ARefusedLaunchIsTheCandidatesAndTheRunnerStays) {
    Plan refused = scale_plan();
    std::get<PlanLaunch>(refused.steps[0].what).block = {2048, 1, 1};
    ready({{0, scale_plan()}, {1, refused}, {2, plan_of("not_there")}});
    const GpuPlayed played = play(play_call({0, 1, 0}));
    EXPECT_THAT(played.wall_ns, SizeIs(1));
    ASSERT_TRUE(played.fault);
    EXPECT_EQ(played.fault->outcome, Outcome::launch_error);
    EXPECT_THAT(played.fault->reason, HasSubstr("line 5"));
    EXPECT_FALSE(played.fault->runner_lost);
    EXPECT_FALSE(played.fault->memory_short);
    const GpuPlayed missing = play(play_call({2}));
    ASSERT_TRUE(missing.fault);
    EXPECT_EQ(missing.fault->outcome, Outcome::launch_error);
    EXPECT_THAT(missing.fault->reason, HasSubstr("not_there"));
    EXPECT_FALSE(play(play_call({0})).fault);
}

TEST_F(GpuRunnerRoleTest, WantOfMemoryIsSaid) {
    Plan large = scale_plan();
    large.scratch = {std::uint64_t{200} << 30};
    ready({{0, large}, {1, scale_plan()}});
    const GpuPlayed played = play(play_call({0}));
    ASSERT_TRUE(played.fault);
    EXPECT_EQ(played.fault->outcome, Outcome::launch_error);
    EXPECT_TRUE(played.fault->memory_short);
    EXPECT_FALSE(played.fault->runner_lost);
    EXPECT_FALSE(play(play_call({1})).fault);
}

TEST_F(GpuRunnerRoleTest, AFaultIsAnsweredAndTheRunnerEndsWithItsChannel) {
    ready({{0, scale_plan()}, {1, plan_of("out_of_bounds")}});
    const GpuPlayed played = play(play_call({0, 1, 0}));
    EXPECT_THAT(played.wall_ns, SizeIs(1));
    ASSERT_TRUE(played.fault);
    EXPECT_EQ(played.fault->outcome, Outcome::memory_fault);
    EXPECT_TRUE(played.fault->runner_lost);
    EXPECT_THAT(played.fault->reason, HasSubstr("line 41"));
    expect_end_with_channel();
}

TEST_F(GpuRunnerRoleTest, AHangIsAnsweredAndTheRunnerEndsWithItsChannel) {
    ready({{0, plan_of("for_ever")}});
    GpuPlayCall call = play_call({0});
    call.limit_ns = 50'000'000;
    const GpuPlayed played = play(call);
    ASSERT_TRUE(played.fault);
    EXPECT_EQ(played.fault->outcome, Outcome::timeout);
    EXPECT_TRUE(played.fault->runner_lost);
    expect_end_with_channel();
}

TEST_F(GpuRunnerRoleTest, ALostDeviceIsAFaultOfOurs) {
    ready({{0, plan_of("loses_the_device")}});
    const Error error = error_of(ask(to_json(play_call({0}))));
    EXPECT_EQ(error.code, ErrorCode::unavailable);
    expect_end(1);
}

TEST_F(GpuRunnerRoleTest, CallsThatMakeNoSenseFailAndTheRunnerGoesOn) {
    start();
    EXPECT_THAT(error_of(ask(to_json(play_call({0})))).message(), HasSubstr("not open yet"));
    ASSERT_EQ(open_device().type, FrameType::gpu_started);
    share_buffers();
    EXPECT_EQ(error_of(ask("no JSON")).code, ErrorCode::corrupt);
    EXPECT_THAT(error_of(ask(to_json(play_call({0})))).message(), HasSubstr("no program 0"));
    payload_of(load(0, {{0, scale_plan()}}));
    EXPECT_THAT(error_of(ask(to_json(play_call({1})))).message(), HasSubstr("workload 1"));
    GpuPlayCall call = play_call({0});
    call.plays[0].tensors[1].offset += 1;
    EXPECT_THAT(error_of(ask(to_json(call))).message(), HasSubstr("leave buffer 1"));
    call.plays[0].tensors.pop_back();
    EXPECT_THAT(error_of(ask(to_json(call))).message(), HasSubstr("1 tensors"));
    EXPECT_THAT(error_of(ask(to_json(GpuBuffersCall{false, {8}}))).message(), HasSubstr("0 came"));
    std::vector<FileHandle> junk;
    junk.push_back(value_or_throw(memory_file_of("no package, but long enough")));
    EXPECT_EQ(error_of(ask(to_json(GpuLoadCall{1}), std::move(junk))).code, ErrorCode::corrupt);
    EXPECT_FALSE(play(play_call({0})).fault);
}

// Of machine code from elsewhere the driver is asked what it copies as arguments.
TEST_F(GpuRunnerRoleTest, ForeignCodeWithOtherParametersThanThePlanIsRefused) {
    start();
    ASSERT_EQ(open_device().type, FrameType::gpu_started);
    share_buffers();
    const std::string cubin =
        testing::simulated_cubin(std::string(testing::k_declared_kernels) + testing::k_kernels);
    const auto fault_of = [&](PlanData last, bool compiled_here) {
        Plan plan = testing::empty_plan();
        plan.steps.push_back(
            {5, testing::launch_of(
                    "scale", {testing::pointer(testing::in(Buffer::input, 0)),
                              testing::pointer(testing::in(Buffer::output, 0)), std::move(last)})});
        std::vector<FileHandle> handles;
        handles.push_back(value_or_throw(write_gpu_package({cubin, {{0, plan}}, compiled_here})));
        payload_of(ask(to_json(GpuLoadCall{0}), std::move(handles)));
        return play(play_call({0})).fault;
    };
    EXPECT_FALSE(fault_of(testing::value(3.0f), false));
    const auto fault = fault_of(testing::value(3.0), false);
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->outcome, Outcome::launch_error);
    EXPECT_FALSE(fault->runner_lost);
    EXPECT_THAT(fault->reason, HasSubstr("knows 4 bytes of parameter 2, the plan has 8"));
    EXPECT_FALSE(fault_of(testing::value(3.0), true)) << "the front end has checked it";
}

TEST_F(GpuRunnerRoleTest, ADriverThatIsNotThereIsSaid) {
    auto ends = value_or_throw(make_socket_pair());
    WorkerOptions options;
    options.program = ATOLL_BIN_DIR "/atoll-worker";
    options.driver = "/no/such/libcuda.so";
    m_runner.emplace(value_or_throw(
        WorkerProcess::start(WorkerRole::gpu_runner, options, 7, std::move(ends.second))));
    m_channel.emplace(std::move(ends.first));
    EXPECT_THAT(error_of(open_device()).message(), HasSubstr("/no/such/libcuda.so"));
}

TEST_F(GpuRunnerRoleTest, EndsWithTheVerifiersChannel) {
    start();
    m_channel.reset();
    expect_end(0);
}

}  // namespace
}  // namespace atl
