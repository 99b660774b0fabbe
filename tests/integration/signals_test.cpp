// A campaign that is told to end: by a terminal, by `kill`, by a service manager.

#include "tests/integration/running_campaign.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace atl
