#include "reward/verifier/candidate_run.hpp"

#include "reward/base/process.hpp"
#include "reward/verifier/bench.hpp"
#include "reward/workers/futex.hpp"
#include "reward/workers/run_control.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <thread>

namespace atl {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// Stands in for a runner that has one run, whose process does nothing by itself: the test says
/// what becomes of it, and when that is reported.
class FakeRunner {
  public:
    FakeRunner() : FakeRunner(value_or_throw(make_socket_pair())) {}
    ~FakeRunner() {
        kill_through(m_pidfd.get());
        if (m_thread.joinable()) {
            m_thread.join();
        }
        wait_until_dead();
        if (m_control != nullptr) {
            ::munmap(m_control, k_run_control_bytes);
        }
    }
    FakeRunner(const FakeRunner&) = delete;
    FakeRunner& operator=(const FakeRunner&) = delete;

    RunnerLink& link() { return m_link; }
    /// On another thread: starts the run when asked for it, and then does this.
    void start(std::function<void(FakeRunner&)> and_then) {
        m_thread = std::jthread([this, and_then = std::move(and_then)] {
            const Frame order = value_or_throw(m_channel.receive(60s));
            m_control = static_cast<RunControl*>(::mmap(nullptr, k_run_control_bytes,
                                                        PROT_READ | PROT_WRITE, MAP_SHARED,
                                                        order.handles[1].get(), 0));
            Frame started;
            started.type = FrameType::run_started;
            started.request = m_request = order.request;
            started.handles.push_back(value_or_throw(open_pidfd(m_process)));
            EXPECT_TRUE(m_channel.send(started));
            and_then(*this);
        });
    }
    void kill_process() {
        kill_through(m_pidfd.get());
        wait_until_dead();
    }
    void wait_until_dead() {
        if (!m_dead) {
            m_dead = ::waitpid(m_process, nullptr, 0) == m_process;
        }
    }
    /// What the page says, by the runner or by a candidate that lies.
    void say_dead() {
        m_control->reply.store(k_run_reply_dead);
        futex_wake(m_control->reply);
    }
    /// Answers a command, the first of which is 1, and leaves a number of bytes on the page.
    void answer(std::uint32_t command, std::uint64_t given_bytes) {
        const timespec step{1, 0};
        while (m_control->command.load() < command) {
            futex_wait(m_control->command, command - 1, &step);
        }
        m_control->given_bytes.store(given_bytes);
        m_control->reply.store(command);
        futex_wake(m_control->reply);
    }
    void report(int signal, std::uint64_t peak_rss_bytes = 0) {
        RunEnded ended;
        ended.signalled = true;
        ended.status = signal;
        ended.peak_rss_bytes = peak_rss_bytes;
        Frame frame;
        frame.type = FrameType::run_ended;
        frame.request = m_request;
        frame.payload = to_json(ended);
        EXPECT_TRUE(m_channel.send(frame));
    }

  private:
    explicit FakeRunner(std::pair<FileHandle, FileHandle> ends)
        : m_channel(std::move(ends.first)), m_link(FrameChannel(std::move(ends.second))) {
        m_process = ::fork();
        if (m_process == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
            while (true) {
                ::pause();
            }
        }
        m_pidfd = value_or_throw(open_pidfd(m_process));
    }

    FrameChannel m_channel;
    RunnerLink m_link;
    pid_t m_process = -1;
    FileHandle m_pidfd;
    bool m_dead = false;
    RunControl* m_control = nullptr;
    std::uint64_t m_request = 0;
    std::jthread m_thread;  // last: it uses the others
};

class CandidateProcess : public ::testing::Test {
  protected:
    CandidateFault launch_fault() {
        SharedBuffers buffers = value_or_throw(SharedBuffers::create({4096}, 2));
        auto run = value_or_throw(
            CandidateRun::start(m_runner.link(), m_binary.file(), buffers, StartRun{}, 30s));
        const CandidateRun::Launch launch = value_or_throw(run->launch(0));
        EXPECT_FALSE(launch.ok);
        return launch.fault;
    }
    /// Loads after that many empty rounds, ends, and says what the process had of its own.
    std::optional<std::uint64_t> own_memory(int empty_rounds) {
        SharedBuffers buffers = value_or_throw(SharedBuffers::create({4096}, 2));
        auto run = value_or_throw(
            CandidateRun::start(m_runner.link(), m_binary.file(), buffers, StartRun{}, 30s));
        for (int i = 0; i < empty_rounds; ++i) {
            EXPECT_TRUE(value_or_throw(run->launch_nothing()).ok);
        }
        EXPECT_TRUE(value_or_throw(run->load()).ok);
        const std::optional<std::uint64_t> bytes = value_or_throw(run->end());
        EXPECT_FALSE(value_or_throw(run->end())) << "it ends once";
        EXPECT_FALSE(value_or_throw(run->launch(0)).ok);
        return bytes;
    }
    Error start_error(double launch_timeout_s) {
        const testing::SmallTask small;
        const TaskLayout layout = value_or_throw(TaskLayout::create(small.task(), false));
        SharedBuffers buffers =
            value_or_throw(SharedBuffers::create(layout.capacity(), layout.slots()));
        EvaluateOrder order;
        order.launch_timeout_s = launch_timeout_s;
        const auto bench =
            Bench::start(m_runner.link(), m_binary.file(), layout, buffers, order, false);
        if (bench) {
            ADD_FAILURE() << "it is the candidate's fault: "
                          << (*bench)->load_fault().value_or(CandidateFault{}).reason;
            return {};
        }
        return bench.error();
    }

    SharedMemory m_binary = value_or_throw(SharedMemory::create("binary", 4096));
    FakeRunner m_runner;
};

// The runner was stopped between the word on the page and the frame.
TEST_F(CandidateProcess, ADeathThatIsReportedLateIsTheRealOne) {
    m_runner.start([](FakeRunner& runner) {
        runner.kill_process();
        runner.say_dead();
        std::this_thread::sleep_for(2500ms);
        runner.report(SIGSEGV);
    });
    EXPECT_EQ(launch_fault().outcome, Outcome::memory_fault);
}

TEST_F(CandidateProcess, AKillFromOutsideThatIsReportedLateIsStillUnexplained) {
    m_runner.start([](FakeRunner& runner) {
        runner.kill_process();
        runner.say_dead();
        std::this_thread::sleep_for(2500ms);
        runner.report(SIGKILL);
    });
    const CandidateFault fault = launch_fault();
    EXPECT_TRUE(fault.unexplained) << fault.reason;
    EXPECT_THAT(fault.reason, HasSubstr("killed from outside"));
}

TEST_F(CandidateProcess, WhoLivesAndSaysThatItIsDeadIsToldSo) {
    m_runner.start([](FakeRunner& runner) {
        runner.say_dead();
        runner.wait_until_dead();
        runner.report(SIGKILL);
    });
    const CandidateFault fault = launch_fault();
    EXPECT_EQ(fault.outcome, Outcome::crash);
    EXPECT_FALSE(fault.unexplained);
    EXPECT_THAT(fault.reason, HasSubstr("overwrote the page"));
}

// None of the candidate's code was there yet.
TEST_F(CandidateProcess, AProcessThatDiesBeforeItsBinaryIsLoadedIsAFaultOfOurs) {
    m_runner.start([](FakeRunner& runner) {
        runner.kill_process();
        runner.say_dead();
        runner.report(SIGKILL);
    });
    const Error error = start_error(30);
    EXPECT_EQ(error.code, ErrorCode::unavailable);
    EXPECT_THAT(error.what, HasSubstr("killed from outside"));
    EXPECT_EQ(m_runner.link().shortest_round_ns(20'000), 20'000)
        << "what was never timed is no shortest round";
}

TEST_F(CandidateProcess, OneThatIsNotThereInTimeIsAFaultOfOurs) {
    m_runner.start([](FakeRunner& runner) {
        runner.wait_until_dead();
        runner.report(SIGKILL);
    });
    EXPECT_EQ(start_error(0.05).code, ErrorCode::unavailable);
}

// The page is the candidate's to write on as soon as its binary is loaded.
TEST_F(CandidateProcess, ItsMemoryIsWhatItHadAtMostBeyondWhatThePageSaidBeforeTheLoad) {
    m_runner.start([](FakeRunner& runner) {
        runner.answer(1, 100 << 20);
        runner.answer(2, std::uint64_t{1} << 40);
        runner.wait_until_dead();
        runner.report(SIGKILL, 116 << 20);
    });
    EXPECT_EQ(own_memory(1), 16u << 20);
}

TEST_F(CandidateProcess, ItsMemoryIsNotBelowZero) {
    m_runner.start([](FakeRunner& runner) {
        runner.answer(1, 100 << 20);
        runner.answer(2, 0);
        runner.wait_until_dead();
        runner.report(SIGKILL, 99 << 20);
    });
    EXPECT_EQ(own_memory(1), 0u);
}

TEST_F(CandidateProcess, ItsMemoryIsUnknownWhereThePageSaidNothingBeforeTheLoad) {
    m_runner.start([](FakeRunner& runner) {
        runner.answer(1, 100 << 20);
        runner.wait_until_dead();
        runner.report(SIGKILL, 116 << 20);
    });
    EXPECT_EQ(own_memory(0), std::nullopt);
}

}  // namespace
}  // namespace atl
