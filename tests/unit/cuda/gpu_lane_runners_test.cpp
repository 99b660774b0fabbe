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

class GpuLaneRunnersTest : public testing::GpuLaneFixture {
  protected:
    /// What a kernel may write to in the jail: a file that is there. Its process's number.
    std::string note_process() const {
        return "FILE* file = fopen(\"" + m_file + "\", \"r+\"); fprintf(file, \"%d\", getpid()); " +
               "fclose(file);";
    }
    std::string noted() const { return testing::read_text(m_file); }
    void forget() const { std::ofstream(m_file) << ""; }

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

  private:
    const testing::TemporaryFolder m_folder;

  protected:
    const std::string m_file = (m_folder.path() / "process").string();
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
    forget();
    const EvaluateReply reply =
        judge(std::string(k_right) + "struct stat about; if (stat(\"" + m_file +
              "\", &about) == 0 && about.st_size == 0) { " + note_process() + " _exit(3); }");
    EXPECT_NE(noted(), "") << "it ended one";
    EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    EXPECT_FALSE(m_lane->broken());
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
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
    for (const char* bad :
         {"*reinterpret_cast<volatile char*>(16) = 1;", "for (volatile bool on = true; on;) {}"}) {
        forget();
        EXPECT_NE(judge(note_process() + bad).outcome, Outcome::passed);
        const std::string faulted = noted();
        forget();
        EXPECT_EQ(judge(std::string(k_right) + note_process(), Level::measure).outcome,
                  Outcome::passed);
        EXPECT_NE(noted(), faulted);
        EXPECT_FALSE(std::filesystem::exists("/proc/" + faulted))
            << "reaped before times are taken";
    }
}

TEST_F(GpuLaneRunnersTest, TheNextRunnerIsThereBeforeTheNextCandidate) {
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
    forget();
    EXPECT_EQ(judge(note_process() + "*reinterpret_cast<volatile char*>(16) = 1;").outcome,
              Outcome::memory_fault);
    // The spare has taken over, and maps what the candidate's runner mapped.
    std::size_t mapped = 0;
    for (const pid_t process : runner_processes()) {
        const std::string name = std::to_string(process);
        const std::string maps = testing::read_text("/proc/" + name + "/maps");
        if (name != noted() && maps.find("device memory") != std::string::npos) {
            ++mapped;
        }
    }
    EXPECT_EQ(mapped, 1u);
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
    forget();
    const std::string body = std::string(k_right) + note_process();
    const auto process = [&](Level level) {
        const EvaluateReply reply = judge(body, level);
        EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
        return noted();
    };
    const std::string first = process(Level::verify);
    EXPECT_EQ(process(Level::verify), first);
    const std::string second = process(Level::confirm);
    EXPECT_NE(second, first);
    EXPECT_NE(process(Level::confirm), second);
}

TEST_F(GpuLaneRunnersTest, OfATaskThatIsNotThereAnyMoreNothingStaysMapped) {
    forget();
    const std::string body = std::string(k_right) + note_process();
    const auto is_mapped = [&] {
        const std::string maps = testing::read_text("/proc/" + noted() + "/maps");
        EXPECT_THAT(maps, HasSubstr("atoll-worker"));
        return maps.find("device memory") != std::string::npos;
    };
    EXPECT_EQ(judge(body).outcome, Outcome::passed);
    EXPECT_TRUE(is_mapped()) << "for the next candidate";
    // A confirmation has buffers of its own, which end with it.
    EXPECT_EQ(judge(body, Level::confirm).outcome, Outcome::passed);
    EXPECT_FALSE(is_mapped());
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
