// Which processes of a GPU lane come and go, and whose fault that is, on the simulated device.

#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/cuda/gpu_lane_fixture.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

namespace atl {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using testing::k_right;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* k_faults = "*reinterpret_cast<volatile char*>(16) = 1;";
/// A dozen launches of this take more than half of what one may, of two seconds.
const std::string k_slow = std::string(k_right) + "usleep(150000);";

class GpuLaneRunnersTest : public testing::GpuLaneFixture {
  protected:
    /// The lane's runners that have not ended.
    static std::vector<pid_t> runner_processes() {
        std::vector<pid_t> found;
        for (const pid_t process : testing::descendants(::getpid())) {
            if (command_line(process).find(" gpu_runner ") != std::string::npos) {
                found.push_back(process);
            }
        }
        return found;
    }
    static std::string command_line(pid_t process) {
        std::string words = testing::read_text("/proc/" + std::to_string(process) + "/cmdline");
        std::replace(words.begin(), words.end(), '\0', ' ');
        return words;
    }
    static std::vector<std::string> runners() {
        std::vector<std::string> found;
        for (const pid_t process : runner_processes()) {
            found.push_back(command_line(process));
        }
        return found;
    }

    /// Those of them that map the device's memory for a task.
    static std::vector<pid_t> serving() {
        std::vector<pid_t> found = runner_processes();
        std::erase_if(found, [](pid_t process) {
            return testing::read_text("/proc/" + std::to_string(process) + "/maps")
                       .find("device memory") == std::string::npos;
        });
        return found;
    }
    /// The one in which a right candidate is judged now.
    pid_t serving_runner() {
        EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
        const std::vector<pid_t> found = serving();
        EXPECT_THAT(found, SizeIs(1));
        return found.empty() ? 0 : found.front();
    }
    /// A statement, for the process of that number alone.
    static std::string in_process(pid_t process, const std::string& statement) {
        return "if (getpid() == " + std::to_string(process) + ") { " + statement + " }";
    }
};

// A kernel in the simulated driver can end its process as hostile machine code ends a real one.
TEST_F(GpuLaneRunnersTest, WhoEndsTheProcessEachTimeHasCrashedAndTheLaneGoesOn) {
    for (int round = 0; round < 4; ++round) {
        const EvaluateReply reply = judge("_exit(3);");
        EXPECT_EQ(reply.outcome, Outcome::crash) << reply.reason;
        EXPECT_THAT(reply.reason, HasSubstr("twice"));
        EXPECT_FALSE(m_lane->broken());
    }
    EXPECT_EQ(judge(std::string(k_right) + "if (rows == 64) _exit(3);", Level::measure).outcome,
              Outcome::crash);
    EXPECT_EQ(judge(k_right, Level::measure).outcome, Outcome::passed);
}

TEST_F(GpuLaneRunnersTest, AProcessThatEndsOnceIsHeldAgainstNobody) {
    const pid_t runner = serving_runner();
    const EvaluateReply reply = judge(std::string(k_right) + in_process(runner, "_exit(3);"));
    EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    EXPECT_FALSE(m_lane->broken());
    EXPECT_NE(serving_runner(), runner);
}

// The environment stands for the heap of kernels: it is the process's.
TEST_F(GpuLaneRunnersTest, WhatIsLeftInTheHeapOfKernelsNobodyElseFinds) {
    const std::string leave = std::string(k_right) + "setenv(\"LEFT\", \"answers\", 1);";
    const std::string find = std::string(k_right) + "if (getenv(\"LEFT\")) y[0] = 1e9f;";
    const auto outcome_after = [&](bool said) {
        DeviceOrder order = order_of(leave, Level::verify);
        GpuPackage package = value_or_throw(read_gpu_package(m_judged.package(leave)));
        package.leaves_heap = said;
        order.binaries = {testing::shared(value_or_throw(write_gpu_package(package)))};
        EXPECT_EQ(value_or_throw(m_lane->evaluate(order)).outcome, Outcome::passed);
        return judge(find).outcome;
    };
    EXPECT_EQ(outcome_after(true), Outcome::passed);
    EXPECT_EQ(outcome_after(false), Outcome::wrong_result) << "else this test tests nothing";
}

// A process that leaves a device holds up who maps memory on it, and whoever waits for its end.
TEST_F(GpuLaneRunnersTest, AFaultedRunnerEndsWhenTheNextOneHasItsBuffers) {
    for (const bool hang : {false, true}) {
        const pid_t faulted = serving_runner();
        EXPECT_NE((hang ? judge_hang() : judge(k_faults)).outcome, Outcome::passed);
        EXPECT_EQ(judge(k_right, Level::measure).outcome, Outcome::passed);
        EXPECT_NE(serving_runner(), faulted);
        EXPECT_FALSE(std::filesystem::exists("/proc/" + std::to_string(faulted)))
            << "reaped before times are taken";
    }
}

// A task takes turns with two sets of buffers: whoever could write to one has ended by then.
TEST_F(GpuLaneRunnersTest, OfRunnersThatHungAllButTheLastAreReaped) {
    const pid_t first = serving_runner();
    EXPECT_EQ(judge_hang().outcome, Outcome::timeout);
    EXPECT_EQ(judge_hang().outcome, Outcome::timeout);
    EXPECT_FALSE(std::filesystem::exists("/proc/" + std::to_string(first)));
}

TEST_F(GpuLaneRunnersTest, TheNextRunnerIsThereBeforeTheNextCandidate) {
    const pid_t faulted = serving_runner();
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
    EXPECT_EQ(judge("*reinterpret_cast<volatile char*>(16) = 1;").outcome, Outcome::memory_fault);
    // The spare has taken over, and maps what the candidate's runner mapped.
    std::vector<pid_t> others = serving();
    std::erase(others, faulted);
    EXPECT_THAT(others, SizeIs(1));
}

// A candidate that takes long has the spare map buffers too; then that one takes over, whatever the
// first one is lost by.
TEST_F(GpuLaneRunnersTest, ASpareThatWasGivenAheadTakesOver) {
    for (const bool hang : {false, true}) {
        EXPECT_EQ(judge(k_right, Level::measure).outcome, Outcome::passed) << "the spare is ready";
        EXPECT_EQ(judge_within(2, k_slow).outcome, Outcome::passed);
        const std::vector<pid_t> both = serving();
        EXPECT_THAT(both, SizeIs(2)) << "the spare too";
        EXPECT_NE((hang ? judge_hang() : judge(k_faults)).outcome, Outcome::passed);
        EXPECT_EQ(judge(k_right, Level::measure).outcome, Outcome::passed);
        EXPECT_THAT(both, ::testing::Contains(serving_runner()));
    }
}

TEST_F(GpuLaneRunnersTest, ASpareThatWasGivenAheadGivesWayToOneWithCounters) {
    start_with_cupti();
    EXPECT_EQ(judge(k_right, Level::measure).outcome, Outcome::passed);
    EXPECT_EQ(judge_within(2, k_slow).outcome, Outcome::passed);
    DeviceOrder order = order_of(k_right, Level::measure);
    order.evaluate.profile_workload = workload("large");
    const EvaluateReply reply = value_or_throw(m_lane->evaluate(order));
    ASSERT_TRUE(reply.counters);
    EXPECT_EQ(reply.counters->why_none, "");
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
}

TEST_F(GpuLaneRunnersTest, CountersAreMadeReadyOnceSomebodyAsksForThem) {
    start_with_cupti();
    EXPECT_EQ(judge(k_right, Level::measure).outcome, Outcome::passed);
    EXPECT_THAT(runners(), AllOf(SizeIs(2), Each(Not(HasSubstr("--counters"))))) << "a spare too";
    DeviceOrder order = order_of(k_right, Level::measure);
    order.evaluate.profile_workload = workload("large");
    const EvaluateReply reply = value_or_throw(m_lane->evaluate(order));
    ASSERT_TRUE(reply.counters);
    EXPECT_EQ(reply.counters->why_none, "");
    EXPECT_THAT(runners(), AllOf(SizeIs(2), Each(HasSubstr("--counters"))));
}

TEST_F(GpuLaneRunnersTest, AConfirmationRunsInAFreshProcess) {
    for (int round = 0; round < 2; ++round) {
        const pid_t used = serving_runner();
        const std::string wrong_here = std::string(k_right) + in_process(used, "y[0] = 1e9f;");
        EXPECT_EQ(judge(wrong_here).outcome, Outcome::wrong_result);
        const EvaluateReply reply = judge(wrong_here, Level::confirm);
        EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    }
}

TEST_F(GpuLaneRunnersTest, OfATaskThatIsNotThereAnyMoreNothingStaysMapped) {
    const pid_t before = serving_runner();
    // A confirmation has buffers of its own, which end with it.
    EXPECT_EQ(judge(k_right, Level::confirm).outcome, Outcome::passed);
    std::vector<pid_t> mapping = serving();
    std::erase(mapping, before);  // it may be on its way out still
    EXPECT_THAT(mapping, ::testing::IsEmpty());
}

TEST_F(GpuLaneRunnersTest, AVerdictStandsAlthoughTheNextSpareCannotStart) {
    m_lane->stop();
    const testing::TemporaryFolder folder;
    const std::filesystem::path worker = folder.path() / "atoll-worker";
    std::filesystem::create_symlink(m_options.worker_program, worker);
    m_options.worker_program = worker;
    start();
    std::filesystem::remove(worker);
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
    EXPECT_FALSE(m_lane->broken());
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed) << "it needs no other runner";
    EXPECT_EQ(judge(k_right, Level::measure).outcome, Outcome::passed) << "nor to be timed";
    std::filesystem::create_symlink(ATOLL_BIN_DIR "/atoll-worker", worker);
    EXPECT_EQ(judge(k_right, Level::measure).outcome, Outcome::passed);
}

TEST_F(GpuLaneRunnersTest, ADeviceThatFailsAgainAndAgainIsSaidToBeUnusable) {
    const auto failed = [this] {
        if (m_lane->broken()) {
            value_or_throw(m_lane->restart());
        }
        const auto reply = m_lane->evaluate(order_of("return 214;", Level::verify));
        EXPECT_FALSE(reply);
        return reply ? Error{} : reply.error();
    };
    for (int i = 0; i < 2; ++i) {
        const Error error = failed();
        EXPECT_EQ(error.code, ErrorCode::unavailable) << "worth another try";
        EXPECT_THAT(error.message(), HasSubstr("CUDA_ERROR_ECC_UNCORRECTABLE"));
    }
    const Error error = failed();
    EXPECT_EQ(error.code, ErrorCode::not_found) << "not worth another try";
    EXPECT_THAT(error.message(), HasSubstr("gpu:0 Simulated is unusable"));
    EXPECT_THAT(error.message(), HasSubstr("CUDA_ERROR_ECC_UNCORRECTABLE"));
    // Who is right later is judged all the same.
    value_or_throw(m_lane->restart());
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
    EXPECT_EQ(failed().code, ErrorCode::unavailable) << "the count begins anew";
}

TEST_F(GpuLaneRunnersTest, ADeviceThatIsGoneIsSaidSoUntilItIsBack) {
    m_lane->stop();
    const testing::TemporaryFolder folder;
    const std::filesystem::path driver = folder.path() / "driver.so";
    std::filesystem::copy_file(ATOLL_SIMULATED_DRIVER, driver);
    m_options.driver = driver;
    start();
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
    const std::filesystem::path gone = driver.string() + ".gone";
    std::ofstream(gone) << "1";
    EXPECT_FALSE(m_lane->evaluate(order_of("return 999;", Level::verify)));
    ASSERT_TRUE(m_lane->broken());
    const Status again = m_lane->restart();
    ASSERT_FALSE(again);
    EXPECT_THAT(again.error().message(), HasSubstr("CUDA_ERROR_NO_DEVICE"));
    EXPECT_TRUE(m_lane->broken());
    const Status unusable = m_lane->restart();
    ASSERT_FALSE(unusable);
    EXPECT_THAT(unusable.error().message(), HasSubstr("is unusable"));
    std::filesystem::remove(gone);
    value_or_throw(m_lane->restart());
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
}

}  // namespace
}  // namespace atl
