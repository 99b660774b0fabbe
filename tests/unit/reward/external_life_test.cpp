#include "reward/cpu_layout.hpp"
#include "reward/evaluator.hpp"
#include "tests/support/processes.hpp"
#include "tests/unit/reward/external_fixture.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <stop_token>

namespace atl {
namespace {

namespace fs = std::filesystem;
using testing::ExternalTask;
using ::testing::HasSubstr;

TEST_F(ExternalTask, AnEndlessJudgeIsATimeoutAndItsGroupDies) {
    const fs::path mark = m_root.path() / "child.pid";
    const Verdict verdict =
        judge(task("sleep 1000 & echo $! > " + mark.string() + "; while true; do :; done",
                   ", \"timeout_s\": 2"));
    EXPECT_EQ(verdict.outcome, Outcome::timeout);
    EXPECT_TRUE(dies(std::stoi(testing::read_text(mark))));
}

// Nothing is timed beside it, so that no core has to be kept free for a device.
TEST_F(ExternalTask, AJudgeMayUseEveryCore) {
    LocalEvaluatorOptions options;
    options.needs_device = false;
    options.devices = 1000;  // of other tasks
    ASSERT_TRUE(check_local_evaluator(options));
    const auto evaluator = value_or_throw(make_local_evaluator(options));
    const std::vector<int> cores = allowed_cores();
    EXPECT_EQ(evaluator->parallelism(), static_cast<int>(cores.size()));
    EvaluationRequest request;
    request.task = task(
        "cores=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)\n"
        "echo \"{\\\"correct\\\": true, \\\"score\\\": 1, \\\"feedback\\\": \\\"$cores\\\"}\"\n");
    request.candidate = {"external", "x", {}, {}};
    const EvaluationResult result = evaluate_and_wait(*evaluator, std::move(request));
    ASSERT_TRUE(result) << result.error().error.message();
    EXPECT_EQ(result->feedback, core_list(cores)) << result->reason;
}

TEST_F(ExternalTask, WhatAJudgeLeavesBehindDoesNotHoldItUp) {
    const auto start = std::chrono::steady_clock::now();
    const Verdict verdict = judge(task("sleep 1000 & echo '{\"correct\": true, \"score\": 1}'"));
    EXPECT_EQ(verdict.outcome, Outcome::passed);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(50));
}

TEST_F(ExternalTask, ASessionOfItsOwnIsNoWayOut) {
    const fs::path mark = m_root.path() / "child.pid";
    const Verdict verdict =
        judge(task("setsid sh -c 'setsid sleep 1000 & echo $! > " + mark.string() +
                   "; sleep 1000' &"
                   "while ! test -s " +
                   mark.string() +
                   "; do sleep 0.01; done;"
                   "echo '{\"correct\": true, \"score\": 1}'"));
    EXPECT_EQ(verdict.outcome, Outcome::passed) << verdict.reason;
    EXPECT_TRUE(dies(std::stoi(testing::read_text(mark))));
}

// By the kernel short of memory, or by a person: that says nothing of the candidate, unless it
// comes again.
TEST_F(ExternalTask, AJudgeThatWasKilledIsRunOnceMore) {
    const std::string mark = (m_root.path() / "killed").string();
    const std::string answer = "echo '{\"correct\": true, \"score\": 2}'";
    for (const char* whom : {"$$", "$PPID"}) {
        fs::remove(mark);
        const std::string death = std::string("kill -9 ") + whom + "; sleep 60";
        const Verdict once =
            judge(task("test -e \"$HOME/used\" && exit 1; touch \"$HOME/used\"; if ! test -e " +
                       mark + "; then touch " + mark + "; " + death + "; fi; " + answer));
        EXPECT_EQ(once.outcome, Outcome::passed) << whom << ": " << once.reason;
        const Verdict always = judge(task(death + "; " + answer));
        EXPECT_EQ(always.outcome, Outcome::evaluator_failed);
        EXPECT_THAT(always.reason, HasSubstr("signal 9"));
    }
}

TEST_F(ExternalTask, WhatAJudgeStartedDiesWithAKilledKeeper) {
    const fs::path mark = m_root.path() / "child.pid";
    static_cast<void>(judge(task("setsid sleep 1000 & echo $! > " + mark.string() +
                                 "; sleep 0.1; kill -9 $PPID; wait")));
    EXPECT_TRUE(dies(std::stoi(testing::read_text(mark))));
}

// Ctrl-Z, a debugger, a container that is paused: the judge's limit is on its own time.
TEST_F(ExternalTask, TimeInWhichEverybodyWasStoppedDoesNotCount) {
    const fs::path mark = m_root.path() / "begun";
    const fs::path go = m_root.path() / "go";
    const TaskPtr patient =
        task("touch " + mark.string() + "; while ! test -e " + go.string() +
                 "; do sleep 0.02; done; echo '{\"correct\": true, \"score\": 1}'",
             ", \"timeout_s\": 2");
    const pid_t evaluator = ::fork();
    if (evaluator == 0) {
        ::_exit(judge(patient).outcome == Outcome::passed ? 0 : 1);
    }
    while (!fs::exists(mark)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    std::set<pid_t> all = testing::descendants(evaluator);
    all.insert(evaluator);
    for (const pid_t pid : all) {
        ::kill(pid, SIGSTOP);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2500));
    for (const pid_t pid : all) {
        ::kill(pid, SIGCONT);
    }
    testing::write_text(go, "");
    int status = 0;
    ::waitpid(evaluator, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "a timeout, or a crash";
}

TEST_F(ExternalTask, ACancelledJudgeDiesAndGivesNoVerdict) {
    const fs::path mark = m_root.path() / "judge.pid";
    const TaskPtr endless =
        task("echo $$ > " + mark.string() + "; sleep 3600", ", \"timeout_s\": 3600");
    std::stop_source source;
    std::thread canceller([&] {
        while (testing::read_text(mark).empty()) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        source.request_stop();
    });
    const auto verdict =
        judge_external(*endless, {"external", "x", {}, {}}, {}, source.get_token());
    canceller.join();
    ASSERT_FALSE(verdict.has_value());
    EXPECT_EQ(verdict.error().code, ErrorCode::interrupted);
    EXPECT_TRUE(dies(std::stoi(testing::read_text(mark))));
}

}  // namespace
}  // namespace atl
