// What a client says of its runner, with this process in the runner's place.

#include "reward/gpu/runner_client.hpp"

#include "reward/worker_calls.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace atl {
namespace {

class RunnerClientTest : public ::testing::Test {
  protected:
    /// To the next question.
    void will_answer(std::string payload) {
        Frame frame;
        frame.type = FrameType::gpu_answer;
        frame.request = ++m_request;
        frame.payload = std::move(payload);
        value_or_throw(m_runner.send(frame));
    }
    Expected<GpuPlayed> play(std::uint32_t program, const std::string& answer) {
        will_answer(answer);
        return m_client.play({program, {{0, {}}}, 1'000'000'000});
    }
    void load(std::uint32_t program) {
        will_answer(to_json(GpuLoaded{}));
        value_or_throw(m_client.load(program, value_or_throw(memory_file_of("a package"))));
    }
    static std::string refused(bool memory_short) {
        return to_json(
            GpuPlayed{{}, GpuFault{Outcome::launch_error, "refused", false, memory_short}});
    }

    std::pair<FileHandle, FileHandle> m_ends = value_or_throw(make_socket_pair());
    FrameChannel m_runner{std::move(m_ends.first)};
    RunnerClient m_client{FrameChannel(std::move(m_ends.second))};
    std::uint64_t m_request = 0;
};

TEST_F(RunnerClientTest, ARunnerThatSaysNonsenseIsOfNoUseAndMayRun) {
    EXPECT_TRUE(m_client.usable());
    EXPECT_TRUE(play(0, to_json(GpuPlayed{{1.0}, {}})));
    EXPECT_TRUE(m_client.usable());
    EXPECT_FALSE(play(0, "no JSON"));
    EXPECT_FALSE(m_client.usable());
    EXPECT_FALSE(m_client.nothing_runs());
}

TEST_F(RunnerClientTest, SoIsOneThatAnswersForOtherLaunches) {
    EXPECT_FALSE(play(0, to_json(GpuPlayed{{1.0, 2.0}, {}})));
    EXPECT_FALSE(m_client.usable());
    EXPECT_FALSE(m_client.nothing_runs());
}

TEST_F(RunnerClientTest, OfTimedLaunchesToo) {
    GpuTimeCall call;
    call.launches.resize(2);
    call.limit_ns = 1'000'000'000;
    will_answer(to_json(GpuTimed{{}, "events", {}}));
    EXPECT_FALSE(m_client.time(call));
    EXPECT_FALSE(m_client.usable());
}

TEST_F(RunnerClientTest, MemoryWasShortForTheCandidateThatWasLoadedLast) {
    EXPECT_TRUE(play(1, refused(true)));
    EXPECT_FALSE(m_client.memory_was_short()) << "a rival's";
    EXPECT_TRUE(play(0, refused(false)));
    EXPECT_FALSE(m_client.memory_was_short());
    EXPECT_TRUE(play(0, refused(true)));
    EXPECT_TRUE(m_client.memory_was_short());
    EXPECT_TRUE(m_client.usable());
    load(1);
    EXPECT_TRUE(m_client.memory_was_short());
    load(0);
    EXPECT_FALSE(m_client.memory_was_short());
}

}  // namespace
}  // namespace atl
