#include "reward/cuda/plan_player.hpp"

#include "tests/unit/cuda/simulated_gpu.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <thread>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// y = x scaled by a factor; y += x from an array of pointers; each element once.
constexpr const char* k_kernels = R"(
    extern "C" { float table[2] = {0, 0}; }
    SIMULATED_KERNEL(scale) {
        const float* x = at<const float*>(parameters, 0);
        float* y = at<float*>(parameters, 1);
        for (unsigned i = 0; i < grid[0] * block[0]; ++i) {
            y[i] = x[i] * at<float>(parameters, 2);
        }
        return 0;
    }
    struct Pair { long count; const float* from; float* to; };
    SIMULATED_KERNEL(add) {
        const Pair& pair = at<Pair>(parameters, 0);
        for (long i = 0; i < pair.count; ++i) {
            pair.to[i] += pair.from[i] + table[i];
        }
        return 0;
    }
    SIMULATED_KERNEL(out_of_bounds) {
        *reinterpret_cast<volatile char*>(16) = 1;
        return 0;
    }
    SIMULATED_KERNEL(for_ever) {
        for (volatile bool on = true; on;) {
        }
        return 0;
    }
)";

PlanAddress in(PlanAddress::Buffer buffer, std::uint32_t index, std::uint64_t offset = 0) {
    return {buffer, index, offset};
}

PlanData pointer(const PlanAddress& to) {
    return {std::vector<std::uint8_t>(8), {{0, to}}};
}

template <class T>
PlanData value(const T& what) {
    PlanData data{std::vector<std::uint8_t>(sizeof(T)), {}};
    std::memcpy(data.bytes.data(), &what, sizeof(T));
    return data;
}

using Buffer = PlanAddress::Buffer;

/// One tensor in and one out, of two floats each.
Plan empty_plan() {
    Plan plan;
    plan.inputs = {8};
    plan.outputs = {8};
    return plan;
}

PlanLaunch launch_of(const std::string& kernel, std::vector<PlanData> arguments) {
    PlanLaunch launch;
    launch.kernel = kernel;
    launch.grid = {2, 1, 1};
    launch.arguments = std::move(arguments);
    return launch;
}

class PlanPlayerTest : public ::testing::Test {
  protected:
    void SetUp() override {
        m_tensors.inputs = {m_input.begin()};
        m_tensors.outputs = {m_output.begin()};
    }
    void write(const std::vector<float>& values) {
        m_gpu.call().copy_to_device(m_input.begin(), values.data(), values.size() * sizeof(float),
                                    m_stream.handle());
    }
    std::vector<float> answer() {
        std::vector<float> values(2);
        m_gpu.call().copy_from_device(values.data(), m_output.begin(), 8, m_stream.handle());
        m_gpu.call().stream_synchronize(m_stream.handle());
        return values;
    }

    Gpu m_gpu = value_or_throw(Gpu::open(testing::simulated_driver(), 0));
    GpuStream m_stream = value_or_throw(GpuStream::create(m_gpu));
    GpuBuffer m_input = value_or_throw(GpuBuffer::allocate(m_gpu, 8));
    GpuBuffer m_output = value_or_throw(GpuBuffer::allocate(m_gpu, 8));
    PlanTensors m_tensors;
    const std::string m_cubin = testing::simulated_cubin(k_kernels);
};

TEST_F(PlanPlayerTest, CarriesOutEveryKindOfStepInOrder) {
    Plan plan = empty_plan();
    plan.scratch = {8};
    plan.symbols = {{"table", 8}};
    // scratch = 3 x; table = {0.5, 0.25}; y = 0; y += scratch + table; y's first = its second.
    plan.steps.push_back({1, launch_of("scale", {pointer(in(Buffer::input, 0)),
                                                 pointer(in(Buffer::scratch, 0)), value(3.0F)})});
    plan.steps.push_back(
        {2, PlanWrite{in(Buffer::symbol, 0), value(std::array<float, 2>{0.5F, 0.25F})}});
    plan.steps.push_back({3, PlanMemset{in(Buffer::output, 0), 0, 8}});
    PlanData pair = value(std::array<std::int64_t, 3>{2, 0, 0});
    pair.pointers = {{8, in(Buffer::scratch, 0)}, {16, in(Buffer::output, 0)}};
    plan.steps.push_back({4, launch_of("add", {pair})});
    plan.steps.push_back({5, PlanCopy{in(Buffer::output, 0), in(Buffer::output, 0, 4), 4}});

    PlanPlayer player = value_or_throw(PlanPlayer::load(m_gpu, m_cubin, plan));
    ASSERT_TRUE(player.bind(m_tensors));
    write({1, 2});
    ASSERT_EQ(player.play(m_stream.handle()), cuda::k_success);
    EXPECT_THAT(answer(), ElementsAre(6.25F, 6.25F));
}

TEST_F(PlanPlayerTest, BindsAnewForOtherTensors) {
    Plan plan = empty_plan();
    plan.steps.push_back({1, launch_of("scale", {pointer(in(Buffer::input, 0)),
                                                 pointer(in(Buffer::output, 0)), value(2.0F)})});
    PlanPlayer player = value_or_throw(PlanPlayer::load(m_gpu, m_cubin, plan));
    const GpuBuffer other = value_or_throw(GpuBuffer::allocate(m_gpu, 8));
    ASSERT_TRUE(player.bind({{other.begin()}, {other.begin()}}));
    ASSERT_TRUE(player.bind(m_tensors));
    write({1, 2});
    ASSERT_EQ(player.play(m_stream.handle()), cuda::k_success);
    EXPECT_THAT(answer(), ElementsAre(2, 4));
    EXPECT_FALSE(player.bind({{}, {m_output.begin()}}));
}

TEST_F(PlanPlayerTest, ALoadOfItsOwnForgetsGlobals) {
    Plan plan = empty_plan();
    plan.symbols = {{"table", 8}};
    plan.steps.push_back({1, PlanCopy{in(Buffer::output, 0), in(Buffer::symbol, 0), 8}});
    plan.steps.push_back({2, PlanWrite{in(Buffer::symbol, 0), value(std::array<float, 2>{7, 7})}});
    for (int i = 0; i < 2; ++i) {
        PlanPlayer player = value_or_throw(PlanPlayer::load(m_gpu, m_cubin, plan));
        ASSERT_TRUE(player.bind(m_tensors));
        ASSERT_EQ(player.play(m_stream.handle()), cuda::k_success);
        EXPECT_THAT(answer(), ElementsAre(0, 0)) << "load " << i;
    }
}

TEST_F(PlanPlayerTest, WhatTheDriverRefusesIsTheCandidatesFault) {
    const auto refusal = [this](const std::string& cubin, const Plan& plan) {
        const Expected<PlanPlayer> player = PlanPlayer::load(m_gpu, cubin, plan);
        EXPECT_FALSE(player);
        EXPECT_EQ(player.error().code, ErrorCode::invalid_argument);
        return player.error().message();
    };
    Plan plan = empty_plan();
    EXPECT_THAT(refusal(std::string(100, 'x'), plan), HasSubstr("cuModuleLoadData"));
    plan.steps.push_back({1, launch_of("no_such", {})});
    EXPECT_THAT(refusal(m_cubin, plan), HasSubstr("no_such"));
    plan.steps.clear();
    plan.symbols = {{"no_table", 8}};
    EXPECT_THAT(refusal(m_cubin, plan), HasSubstr("no_table"));
    plan.symbols = {{"table", 12}};
    EXPECT_THAT(refusal(m_cubin, plan), HasSubstr("8 bytes on the device and 12"));
    plan.symbols.clear();
    plan.settings = {{"scale", 1u << 20, -1, false}};
    EXPECT_THAT(refusal(m_cubin, plan), HasSubstr("cuFuncSetAttribute"));
}

TEST_F(PlanPlayerTest, TheStepThatIsRefusedIsKnown) {
    Plan plan = empty_plan();
    plan.steps.push_back({1, PlanMemset{in(Buffer::output, 0), 0, 8}});
    PlanLaunch large = launch_of("scale", {});
    large.block = {2048, 1, 1};
    plan.steps.push_back({2, large});
    PlanPlayer player = value_or_throw(PlanPlayer::load(m_gpu, m_cubin, plan));
    ASSERT_TRUE(player.bind(m_tensors));
    EXPECT_EQ(player.play(m_stream.handle()), cuda::k_invalid_value);
    EXPECT_EQ(player.last_step(), 1u);
    EXPECT_EQ(m_gpu.call().stream_synchronize(m_stream.handle()), cuda::k_success);
}

TEST_F(PlanPlayerTest, AFaultSticksToTheProcess) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto fault = [this] {
        Plan plan = empty_plan();
        plan.steps.push_back({1, launch_of("out_of_bounds", {})});
        PlanPlayer player = value_or_throw(PlanPlayer::load(m_gpu, m_cubin, plan));
        const bool queued =
            player.bind(m_tensors) && player.play(m_stream.handle()) == cuda::k_success;
        const cuda::Result result = m_gpu.call().stream_synchronize(m_stream.handle());
        const bool sticks = !GpuBuffer::allocate(m_gpu, 1) && !GpuStream::create(m_gpu);
        std::_Exit(queued && is_kernel_fault(result) && sticks ? 0 : 1);
    };
    EXPECT_EXIT(fault(), ::testing::ExitedWithCode(0), "");
}

TEST_F(PlanPlayerTest, AHangIsSeenByAsking) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto hang = [this] {
        Plan plan = empty_plan();
        plan.steps.push_back({1, launch_of("for_ever", {})});
        PlanPlayer player = value_or_throw(PlanPlayer::load(m_gpu, m_cubin, plan));
        const bool queued =
            player.bind(m_tensors) && player.play(m_stream.handle()) == cuda::k_success;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        const cuda::Result result = m_gpu.call().stream_query(m_stream.handle());
        std::_Exit(queued && result == cuda::k_not_ready ? 0 : 1);
    };
    EXPECT_EXIT(hang(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace atl
