// What the README shows first, as it is shipped.

#include "tests/integration/running_campaign.hpp"
#include "tests/support/sanitizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using testing::atoll;
using ::testing::HasSubstr;
using testing::Result;
using testing::RunCommand;
using testing::shell;
using testing::Started;
using testing::text_of;

namespace fs = std::filesystem;

TEST_F(RunCommand, TheQuickstartsCampaignSurvivesKillAndEndsWithABestKernel) {
    ATOLL_SKIP_UNDER_TSAN();  // the shipped campaign asks for the full sandbox
    const fs::path log = m_folder.path() / "log";
    Started first({"run", ATOLL_SOURCE_DIR "/experiments/campaigns/quickstart.toml", "--output",
                   run().string(), "--max-evaluations", "8"},
                  log);
    wait_for_evaluations(4);
    first.signal_group(SIGKILL);
    EXPECT_EQ(first.wait(), -SIGKILL) << text_of(log);
    expect_checked();
    const Result resumed = atoll("resume " + run().string());
    ASSERT_EQ(resumed.status, 0) << resumed.output;
    EXPECT_THAT(resumed.output, HasSubstr("Stopped: budget of 8 evaluations spent."));
    const fs::path best = run() / "best" / "best.cpp";
    EXPECT_THAT(resumed.output, HasSubstr("Best           " + best.string() + "\n"));
    EXPECT_TRUE(fs::exists(best));
    for (const char* line : {"Speed-up       ", "Speed of light ", "openblas       "}) {
        EXPECT_THAT(resumed.output, HasSubstr(std::string("\n") + line));
    }
    EXPECT_GE(evaluated(), 8u);
    expect_sound();
    expect_checked();
}

TEST(Quickstart, TheScriptSaysWhatItDoes) {
    const Result help = shell(ATOLL_SOURCE_DIR "/tools/quickstart --help");
    EXPECT_EQ(help.status, 0) << help.output;
    EXPECT_THAT(help.output, HasSubstr("Usage: tools/quickstart"));
}

}  // namespace
}  // namespace atl
