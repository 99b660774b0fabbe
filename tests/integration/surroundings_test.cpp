// What the shell hands to `atoll`: descriptors, pipes, limits, a terminal.

#include "tests/integration/running_campaign.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iterator>

namespace atl {
namespace {

using testing::atoll;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::program;
using testing::Result;
using testing::run_shell;
using testing::RunCommand;
using testing::shell;
using testing::ShellResult;
using testing::text_of;

namespace fs = std::filesystem;

class Surroundings : public RunCommand {
  protected:
    [[nodiscard]] std::string command(int evaluations = 5) const {
        return program() + " run " + config() + " --output " + run().string() +
               " --max-evaluations " + std::to_string(evaluations);
    }
};

// The first file that is opened would get the number of a closed descriptor.
TEST_F(Surroundings, WhatIsPrintedToAClosedDescriptorGoesIntoNoFile) {
    const ShellResult result = run_shell(command() + " >&- 2>&- <&-");
    EXPECT_EQ(result.status, 3) << "what was printed is lost";
    const std::string lock = text_of(run() / "lock");
    EXPECT_THAT(lock, ::testing::StartsWith("process "));
    EXPECT_EQ(lock.find('\n'), lock.size() - 1) << lock;
    expect_sound();
    expect_checked();
    EXPECT_EQ(run_shell(program() + " lineage " + run().string() + " >&-").status, 3);
}

TEST_F(Surroundings, TooFewOpenFilesAreAnErrorThatSaysSo) {
    const ShellResult result = run_shell("ulimit -n 60; " + command());
    EXPECT_EQ(result.status, 3) << result.out << result.err;
    EXPECT_THAT(result.err, HasSubstr("ulimit -n"));
    EXPECT_FALSE(fs::exists(run()));
}

// As in `atoll run ... | head -1`, and when the program that read the progress has ended.
TEST_F(Surroundings, ACampaignGoesOnWhenNobodyReadsItsOutput) {
    const std::string status = (m_folder.path() / "status").string();
    const ShellResult result = run_shell("{ " + command(12) + "; echo $? >" + status +
                                         "; } | head -1 >" + m_folder.path().string() + "/line");
    EXPECT_EQ(text_of(status), "3\n");
    EXPECT_EQ(result.err, "atoll: standard output: write: Broken pipe\n");
    EXPECT_EQ(evaluated(), 12u);
    EXPECT_TRUE(fs::exists(run() / "best" / "best.cpp"));
    expect_sound();
    expect_checked();
    const Result again = atoll("resume " + run().string());
    EXPECT_THAT(again.output, HasSubstr("Nothing is left to do")) << again.output;
    const ShellResult lineage = run_shell("for i in 1 2 3; do " + program() + " lineage " +
                                          run().string() + " show 0.0 --source; done | head -1");
    EXPECT_THAT(lineage.err, IsEmpty());
}

TEST_F(Surroundings, CampaignsThatStartInTheSameSecondGetFoldersOfTheirOwn) {
    const std::string one =
        program() + " run " + config() + " --seconds 1 --max-evaluations 1 --quiet || echo failed";
    std::string all = "cd " + m_folder.path().string() + "; ";
    for (int i = 0; i < 6; ++i) {
        all += "(" + one + ") & ";
    }
    const Result result = shell(all + "wait");
    EXPECT_THAT(result.output, Not(HasSubstr("failed")));
    const auto runs = fs::directory_iterator(m_folder.path() / "runs");
    EXPECT_EQ(std::distance(fs::begin(runs), fs::end(runs)), 6);
}

TEST_F(Surroundings, AnEmptyOutputIsRefusedAndOneLikeAnOptionIsPrintedAsAFolder) {
    const Result empty = atoll("run " + config() + " --output ''");
    EXPECT_EQ(empty.status, 2);
    EXPECT_THAT(empty.output, HasSubstr("--output: names no folder"));
    const Result dashed = shell("cd " + m_folder.path().string() + "; " + program() + " run " +
                                config() + " --output=-dashy --max-evaluations 3");
    EXPECT_EQ(dashed.status, 0) << dashed.output;
    for (const char* part : {"resume ./-dashy", "lineage ./-dashy", " ./-dashy/best/best.cpp"}) {
        EXPECT_THAT(dashed.output, HasSubstr(part));
    }
}

/// What a command shows on a terminal of this kind.
std::string shown_on(const std::string& kind, const std::string& command) {
    const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) {
        return "";
    }
    const std::string terminal = ::ptsname(master);
    const int keep = ::open(terminal.c_str(), O_RDWR | O_NOCTTY);
    std::string text;
    std::thread reader([&] {
        char chunk[4096];
        for (ssize_t size = 0; (size = ::read(master, chunk, sizeof(chunk))) > 0;) {
            text.append(chunk, static_cast<std::size_t>(size));
        }
    });
    EXPECT_EQ(run_shell("TERM=" + kind + " " + command + " >" + terminal).status, 0);
    ::close(keep);  // the last: the reader sees the end
    reader.join();
    ::close(master);
    return text;
}

TEST_F(Surroundings, ADumbTerminalGetsLines) {
    const std::string panel = shown_on("xterm", command());
    if (panel.empty()) {
        GTEST_SKIP() << "needs a pseudo terminal";
    }
    EXPECT_THAT(panel, HasSubstr("\x1b["));
    const std::string lines =
        shown_on("dumb", program() + " resume " + run().string() + " --max-evaluations 8");
    EXPECT_THAT(lines, HasSubstr("evaluations 5"));
    EXPECT_THAT(lines, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace atl
