#include "reward/cuda/plan_player.hpp"

#include "tests/unit/cuda/plan_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using testing::Buffer;
using testing::empty_plan;
using testing::in;
using testing::launch_of;
using testing::pointer;
using testing::TemporaryFolder;
using testing::value;

class PlanPlayerTest : public testing::WithPlans {};

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

TEST_F(PlanPlayerTest, EncodesTensorMapsForTheTensorsOfALaunch) {
    Plan plan = empty_plan();
    PlanTensorMap map;
    map.rank = 2;
    map.address = in(Buffer::output, 0);
    map.dims = {2, 1};
    plan.tensor_maps = {map};
    PlanData argument{std::vector<std::uint8_t>(k_tensor_map_bytes), {}, {{0, 0}}};
    plan.steps.push_back({1, launch_of("fill_by_map", {argument})});
    PlanPlayer player = value_or_throw(PlanPlayer::load(m_gpu, m_cubin, plan));
    ASSERT_TRUE(player.bind(m_tensors));
    ASSERT_EQ(player.play(m_stream.handle()), cuda::k_success);
    EXPECT_THAT(answer(), ElementsAre(2, 2));
    const Status refused = player.bind({m_tensors.inputs, {m_output.begin() + 4}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(refused.error().message(), HasSubstr("tensor map 0"));
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

TEST_F(PlanPlayerTest, PlayersOfOneModuleShareWhatIsInIt) {
    Plan plan = empty_plan();
    plan.symbols = {{"table", 8}};
    plan.steps.push_back({1, PlanCopy{in(Buffer::output, 0), in(Buffer::symbol, 0), 8}});
    plan.steps.push_back({2, PlanWrite{in(Buffer::symbol, 0), value(std::array<float, 2>{7, 7})}});
    const auto module = value_or_throw(PlanModule::load(m_gpu, m_cubin));
    for (int round = 0; round < 2; ++round) {
        PlanPlayer player = value_or_throw(PlanPlayer::load(m_gpu, module, plan));
        ASSERT_TRUE(player.bind(m_tensors));
        ASSERT_EQ(player.play(m_stream.handle()), cuda::k_success);
        ASSERT_EQ(m_gpu.call().stream_synchronize(m_stream.handle()), cuda::k_success);
    }
    EXPECT_THAT(answer(), ElementsAre(7, 7));
}

// Of a process that has ended a moment ago the device still holds the memory.
class ShortOfMemory : public PlanPlayerTest {
  protected:
    void SetUp() override {
        PlanPlayerTest::SetUp();
        std::filesystem::copy_file(ATOLL_SIMULATED_DRIVER, m_driver);
        m_short.emplace(
            value_or_throw(Gpu::open(value_or_throw(DriverLibrary::open(m_driver)), 0)));
    }
    void fill() const { std::ofstream(m_full) << "1"; }
    /// Calls `work` on a device that has memory again soon.
    template <class Work>
    void soon_free(const Work& work) {
        fill();
        std::thread free([this] {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            std::filesystem::remove(m_full);
        });
        work();
        free.join();
    }

    const TemporaryFolder m_folder;
    const std::filesystem::path m_driver = m_folder.path() / "driver.so";
    const std::string m_full = m_driver.string() + ".full";
    std::optional<Gpu> m_short;
};

TEST_F(ShortOfMemory, ScratchMemoryAndVariablesAreWaitedForAWhile) {
    Plan plan = empty_plan();
    plan.scratch = {8};
    soon_free([&] {
        const auto player = PlanPlayer::load(*m_short, m_cubin, plan);
        EXPECT_TRUE(player) << player.error().message();
    });
    const auto module = value_or_throw(PlanModule::load(*m_short, m_cubin));
    soon_free([&] {
        const auto player = PlanPlayer::load(*m_short, module, plan);
        EXPECT_TRUE(player) << player.error().message();
    });
    fill();
    const auto variables = PlanPlayer::load(*m_short, m_cubin, plan);
    ASSERT_FALSE(variables);
    EXPECT_EQ(variables.error().code, ErrorCode::no_space);
    EXPECT_THAT(variables.error().message(), HasSubstr("do not fit"));
    const auto scratch = PlanPlayer::load(*m_short, module, plan);
    ASSERT_FALSE(scratch);
    EXPECT_EQ(scratch.error().code, ErrorCode::no_space);
    EXPECT_THAT(scratch.error().message(), HasSubstr("do not fit"));
}

TEST_F(ShortOfMemory, LaunchesWaitForLocalMemory) {
    Plan plan = empty_plan();
    plan.steps.push_back({1, launch_of("scale", {pointer(in(Buffer::input, 0)),
                                                 pointer(in(Buffer::output, 0)), value(2.0F)})});
    PlanPlayer player = value_or_throw(PlanPlayer::load(*m_short, m_cubin, plan));
    const GpuBuffer memory = value_or_throw(GpuBuffer::allocate(*m_short, 8));
    const GpuStream stream = value_or_throw(GpuStream::create(*m_short));
    ASSERT_TRUE(player.bind({{memory.begin()}, {memory.begin()}}));
    soon_free([&] { EXPECT_EQ(player.play(stream.handle()), cuda::k_success); });
    EXPECT_EQ(m_short->call().stream_synchronize(stream.handle()), cuda::k_success);
}

TEST_F(PlanPlayerTest, ScratchMemoryCarriesNothing) {
    Plan plan = empty_plan();
    plan.scratch = {4, 8};
    plan.steps.push_back({1, PlanCopy{in(Buffer::output, 0), in(Buffer::scratch, 1), 8}});
    plan.steps.push_back({2, PlanMemset{in(Buffer::scratch, 0), 7, 4}});
    plan.steps.push_back({3, PlanMemset{in(Buffer::scratch, 1), 7, 8}});
    PlanPlayer player = value_or_throw(PlanPlayer::load(m_gpu, m_cubin, plan));
    ASSERT_TRUE(player.bind(m_tensors));
    ASSERT_EQ(player.play(m_stream.handle()), cuda::k_success);
    EXPECT_THAT(answer(), ElementsAre(::testing::IsNan(), ::testing::IsNan())) << "a new load";
    ASSERT_EQ(player.play(m_stream.handle()), cuda::k_success);
    EXPECT_THAT(answer(), ElementsAre(::testing::Lt(1), ::testing::Lt(1)));
    ASSERT_TRUE(player.clear_scratch(m_stream.handle()));
    ASSERT_EQ(player.play(m_stream.handle()), cuda::k_success);
    EXPECT_THAT(answer(), ElementsAre(::testing::IsNan(), ::testing::IsNan()));
}

TEST_F(PlanPlayerTest, ScratchThatDoesNotFitIsTheCandidatesFault) {
    Plan plan = empty_plan();
    plan.scratch = {std::uint64_t{200} << 30};
    const Expected<PlanPlayer> player = PlanPlayer::load(m_gpu, m_cubin, plan);
    ASSERT_FALSE(player);
    EXPECT_EQ(player.error().code, ErrorCode::no_space);
    EXPECT_THAT(player.error().message(), HasSubstr("do not fit"));
}

TEST_F(PlanPlayerTest, WhatFailsAtLoadIsOursUnlessTheImageIsRefused) {
    const auto code_of = [this](int result) {
        const Expected<PlanPlayer> player =
            PlanPlayer::load(m_gpu, "result " + std::to_string(result), empty_plan());
        EXPECT_FALSE(player);
        return player.error().code;
    };
    for (const int refused : {1, 200, 209, 218, 500, 701, 720, 801}) {
        EXPECT_EQ(code_of(refused), ErrorCode::invalid_argument) << refused;
    }
    for (const int failed : {3, 46, 100, 201, 214, 304, 700, 719, 802, 999}) {
        EXPECT_EQ(code_of(failed), ErrorCode::unavailable) << failed;
    }
    // As scratch memory: the device is ours alone, and its variables may be as large as it likes.
    EXPECT_EQ(code_of(2), ErrorCode::no_space);
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

}  // namespace
}  // namespace atl
