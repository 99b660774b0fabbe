// A campaign that is told to end: by a terminal, by `kill`, by a service manager.

#include "tests/integration/running_campaign.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace atl {
namespace {

using testing::atoll;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Result;
using testing::RunCommand;
using testing::Started;
using testing::text_of;

namespace fs = std::filesystem;

TEST_F(RunCommand, CtrlCDrainsAndTheWorkersStayAliveForIt) {
    const fs::path log = m_folder.path() / "log";
    Started first({"run", config("[stop]\nmax_evaluations = 100000\n"), "--output", run().string()},
                  log);
    wait_for_evaluations(5);
    first.signal_group(SIGINT);
    EXPECT_EQ(first.wait(), 130) << text_of(log);
    const std::string text = text_of(log);
    EXPECT_THAT(text, HasSubstr("note: signal SIGINT: "));
    EXPECT_THAT(text, HasSubstr("Ctrl-C again ends at once"));
    EXPECT_THAT(text, Not(HasSubstr("evaluation lost")));
    expect_sound();
}

TEST_F(RunCommand, TheSecondCtrlCEndsAtOnceAndSaysHowToGoOn) {
    const fs::path log = m_folder.path() / "log";
    Started first({"run", config("[stop]\nmax_evaluations = 100000\n"), "--output", run().string()},
                  log);
    wait_for_evaluations(3);
    // However fast the first is handled, the second comes before the end or finds it ended.
    for (int i = 0; i < 2; ++i) {
        first.signal_group(SIGINT);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_EQ(first.wait(), 130);
    EXPECT_THAT(text_of(log), HasSubstr("resume " + run().string()));
    expect_sound();
}

// `kill PID`, `docker stop` and a batch system's warning reach the campaign's process alone.
TEST_F(RunCommand, SigtermDrainsAndResumeGoesOn) {
    const fs::path log = m_folder.path() / "log";
    Started first({"run", config("[stop]\nmax_evaluations = 100000\n"), "--output", run().string()},
                  log);
    wait_for_evaluations(5);
    ASSERT_EQ(::kill(first.pid(), SIGTERM), 0);
    EXPECT_EQ(first.wait(), 130) << text_of(log);
    const std::string text = text_of(log);
    EXPECT_THAT(text, HasSubstr("note: signal SIGTERM: "));
    EXPECT_THAT(text, HasSubstr("Stopped: signal SIGTERM."));
    EXPECT_THAT(text, HasSubstr("resume " + run().string()));
    EXPECT_THAT(text, Not(HasSubstr("evaluation lost")));
    // Drained: what was in work is in the record, the best is confirmed, its file is there.
    EXPECT_TRUE(fs::exists(run() / "best" / "best.cpp"));
    expect_sound();
    expect_checked();
    const std::size_t before = evaluated();
    EXPECT_GE(before, 5u);
    const std::string enough = std::to_string(before + 3);
    const Result resumed = atoll("resume " + run().string() + " --max-evaluations " + enough);
    EXPECT_EQ(resumed.status, 0) << resumed.output;
    EXPECT_THAT(resumed.output, HasSubstr("budget of " + enough + " evaluations spent"));
    EXPECT_GE(evaluated(), before + 3);
    expect_sound();
    expect_checked();
}

// The folder is there long before the campaign: a machine is measured in between.
TEST_F(RunCommand, ACtrlCBeforeTheCampaignBeganLeavesNoFolderThatIsNoRun) {
    const fs::path log = m_folder.path() / "log";
    Started first({"run", config("[stop]\nmax_evaluations = 100000\n"), "--output", run().string()},
                  log);
    while (!fs::exists(run() / "lock")) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    first.signal_group(SIGINT);
    EXPECT_EQ(first.wait(), 130) << text_of(log);
    if (fs::exists(run())) {  // it had begun after all
        expect_sound();
    } else {
        EXPECT_EQ(text_of(log), "atoll: interrupted before it began\n");
    }
}

TEST_F(RunCommand, ACtrlCBeforeAResumeWentOnSaysSoAndLeavesTheRecord) {
    ASSERT_EQ(
        atoll("run " + config() + " --output " + run().string() + " --max-evaluations 5").status,
        0);
    const fs::path log = m_folder.path() / "log";
    Started second({"resume", run().string(), "--max-evaluations", "100000"}, log);
    const std::string mine = "process " + std::to_string(second.pid()) + " ";
    while (!text_of(run() / "lock").starts_with(mine)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    second.signal_group(SIGINT);
    EXPECT_EQ(second.wait(), 130) << text_of(log);
    EXPECT_THAT(text_of(log), ::testing::AnyOf("atoll: interrupted before it went on\n",
                                               HasSubstr("Stopped: signal SIGINT.")));
    expect_sound();
    expect_checked();
}

/// A campaign that ends by itself.
class AtTheEnd : public RunCommand {
  protected:
    void run_until_it_ends() {
        m_started.emplace(std::vector<std::string>{"run", config("[stop]\nseconds = 2\n"),
                                                   "--output", run().string()},
                          m_log);
        while (text_of(m_log).find("note: time budget of 2 s spent") == std::string::npos) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }

    fs::path m_log = m_folder.path() / "log";
    std::optional<Started> m_started;
};

TEST_F(AtTheEnd, TheFirstCtrlCIsNotTheSecondAndTheBestIsConfirmed) {
    run_until_it_ends();
    m_started->signal_group(SIGINT);
    EXPECT_EQ(m_started->wait(), 0) << text_of(m_log);
    EXPECT_THAT(text_of(m_log), Not(HasSubstr("confirmation lost")));
    EXPECT_TRUE(fs::exists(run() / "best" / "best.cpp"));
}

TEST_F(AtTheEnd, WhatASecondCtrlCCutShortIsConfirmedByAPlainResume) {
    run_until_it_ends();
    for (int i = 0; i < 2; ++i) {
        m_started->signal_group(SIGINT);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (m_started->wait() == 130) {  // else it was over before
        EXPECT_THAT(text_of(m_log), HasSubstr("resume " + run().string() + "` goes on"));
    }
    const Result resumed = atoll("resume " + run().string());
    EXPECT_EQ(resumed.status, 0) << resumed.output;
    EXPECT_TRUE(fs::exists(run() / "best" / "best.cpp"));
    expect_sound();
}

// The shell and the kernel both say that a terminal is closed.
TEST_F(RunCommand, AClosedTerminalDrainsHoweverOftenItIsSaid) {
    const fs::path log = m_folder.path() / "log";
    Started first({"run", config("[stop]\nmax_evaluations = 100000\n"), "--output", run().string()},
                  log);
    wait_for_evaluations(5);
    for (int i = 0; i < 3; ++i) {
        first.signal_group(SIGHUP);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_EQ(first.wait(), 130) << text_of(log);
    EXPECT_THAT(text_of(log), HasSubstr("Stopped: signal SIGHUP."));
    EXPECT_TRUE(fs::exists(run() / "best" / "best.cpp"));
    expect_sound();
}

TEST_F(RunCommand, UnderNohupAClosedTerminalIsNoReasonToEnd) {
    const auto before = std::signal(SIGHUP, SIG_IGN);  // as nohup(1) leaves it
    const fs::path log = m_folder.path() / "log";
    Started first({"run", config("[stop]\nmax_evaluations = 12\n"), "--output", run().string()},
                  log);
    std::signal(SIGHUP, before);
    wait_for_evaluations(3);
    first.signal_group(SIGHUP);
    EXPECT_EQ(first.wait(), 0) << text_of(log);
    EXPECT_THAT(text_of(log), HasSubstr("Stopped: budget of 12 evaluations spent."));
}

}  // namespace
}  // namespace atl
