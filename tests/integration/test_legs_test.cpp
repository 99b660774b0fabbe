// tools/test-legs with programs that build and test nothing.

#include "tests/support/shell.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace atl {
namespace {

namespace fs = std::filesystem;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::run_shell;
using testing::ShellResult;

/// Lists the labels in the file `labels`, of which `unit` runs by default. Each leg passes three
/// tests, or does what the script `leg-NAME` says.
constexpr const char* k_ctest = R"(
case "$*" in
*--print-labels*) echo "All Labels:"; sed 's/^/  /' labels; exit ;;
*-N) [[ "$*" == *"-C long"* || "$*" == *unit* ]] && echo "Total Tests: 1" || echo "Total Tests: 0"
    exit ;;
esac
report=${*: -1}
leg=$(basename "$report" .xml)
tell() {
    printf '<testsuite name="all"\n\ttests="%s"\n\tfailures="%s"\n\tdisabled="0"\n\tskipped="1"\n' \
        "$1" "$2" >"$report"
}
[[ ! -e leg-$leg ]] || . "./leg-$leg"
echo "$leg reads '$(cat)', all legs: $ATOLL_ALL_LEGS"
tell 3 0
)";

class TestLegs : public ::testing::Test {
  protected:
    void SetUp() override {
        fs::create_directories(root() / "tools");
        fs::create_directories(root() / "bin");
        fs::create_directories(root() / "build" / "release");
        fs::copy(ATOLL_SOURCE_DIR "/tools/test-legs", root() / "tools");
        for (const char* name : {"tools/setup", "tools/format", "tools/build", "bin/cmake",
                                 "bin/c++", "bin/clang++"}) {
            program(name, "true");
        }
        program("bin/ctest", k_ctest);
        write("build/release/CTestTestfile.cmake", "");
        write("labels", "mutation\ntorture\nunit\n");
    }

    [[nodiscard]] const fs::path& root() const { return m_folder.path(); }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(root() / name) << text;
    }
    void program(const std::string& name, const std::string& script) const {
        write(name, "#!/bin/bash\n" + script + "\n");
        fs::permissions(root() / name, fs::perms::owner_all);
    }

    /// Its process is $LEGS to all that it starts. A signal that is ignored could not be caught.
    [[nodiscard]] ShellResult legs() const {
        return run_shell("cd " + root().string() +
                         " && PATH=\"$PWD/bin:$PATH\" CXX=c++ sh -c 'LEGS=$$ exec env "
                         "--default-signal=INT,TERM /bin/bash tools/test-legs'");
    }

    /// That the table has this row: numbers of tests, passed, failed, skipped.
    static void expect_row(const ShellResult& result, const std::string& leg,
                           const std::string& numbers, const std::string& remark = "") {
        std::string pattern = "\n" + leg;
        for (const char number : numbers) {
            pattern += std::string(" +") + number;
        }
        EXPECT_THAT(result.out, ContainsRegex(pattern + " +[0-9]+  " + remark)) << result.err;
    }

    /// Runs the legs; while `torture` is at work, they alone get that signal.
    [[nodiscard]] ShellResult interrupted(const std::string& signal) const {
        write("leg-torture",
              "echo $$ >pid; kill -" + signal + " \"$LEGS\"; exec sleep 1000 >/dev/null 2>&1\n");
        return legs();
    }
    void expect_ended() const {
        std::string pid;
        std::ifstream(root() / "pid") >> pid;
        ASSERT_NE(pid, "");
        // Empty for a process that ended, also where nobody asks for its status.
        std::ifstream command("/proc/" + pid + "/cmdline");
        EXPECT_EQ(std::string(std::istreambuf_iterator<char>(command), {}), "");
    }

    testing::TemporaryFolder m_folder;
};

TEST_F(TestLegs, EveryLegIsARow) {
    const ShellResult result = legs();
    EXPECT_EQ(result.status, 0) << result.out << result.err;
    for (const char* leg : {"default", "mutation", "torture", "asan", "tsan", "fuzz"}) {
        expect_row(result, leg, "3201", "\n");
        // Nothing that is tested takes the list of the legs to come for its own input.
        EXPECT_THAT(result.out, HasSubstr(std::string(leg) + " reads '', all legs: 1\n"));
    }
    EXPECT_THAT(result.out, Not(HasSubstr("\nunit ")));
    EXPECT_THAT(result.out, HasSubstr("test: all passed\n"));
}

TEST_F(TestLegs, AFailingLegIsARowAndTheOthersRun) {
    write("leg-torture", "tell 3 1; exit 8\n");
    const ShellResult result = legs();
    EXPECT_EQ(result.status, 1) << result.err;
    expect_row(result, "torture", "3111", "\n");
    expect_row(result, "fuzz", "3201", "\n");
    EXPECT_THAT(result.out, HasSubstr("test: not all passed"));
}

// A report calls a test whose program is missing not failed.
TEST_F(TestLegs, CtestsStatusCountsWhateverItsReportSays) {
    write("leg-torture", "tell 3 0; exit 8\n");
    const ShellResult result = legs();
    EXPECT_EQ(result.status, 1) << result.err;
    expect_row(result, "torture", "3201", "ctest ended with 8");
}

TEST_F(TestLegs, ALegWithoutAReadableReportHasFailed) {
    write("leg-default", "echo '<testsuite>' >\"$report\"; exit 0\n");
    write("leg-mutation", "printf '<testsuite\\n\\ttests=\"3\"\\n' >\"$report\"; exit 8\n");
    write("leg-torture", "tell many 0; exit 0\n");
    write("leg-asan", "exit 0\n");
    const ShellResult result = legs();
    EXPECT_EQ(result.status, 1) << result.err;
    expect_row(result, "default", "----", "ctest ended with 0 and a report that cannot be read");
    expect_row(result, "mutation", "----", "ctest ended with 8 and a report that cannot be read");
    expect_row(result, "torture", "----", "ctest ended with 0 and a report that cannot be read");
    expect_row(result, "asan", "----", "ctest ended with 0 and no report");
    expect_row(result, "fuzz", "3201", "\n");
    EXPECT_THAT(result.err, Not(HasSubstr("line ")));
}

TEST_F(TestLegs, ALabelThatIsNotListedHasNotRun) {
    write("labels", "torture\nunit\n");
    ShellResult result = legs();
    EXPECT_EQ(result.status, 1) << result.err;
    expect_row(result, "torture", "3201", "\n");
    expect_row(result, "mutation", "----", "not run");
    fs::remove(root() / "build" / "release" / "CTestTestfile.cmake");
    result = legs();
    EXPECT_EQ(result.status, 1) << result.err;
    expect_row(result, "torture", "----", "not run");
    expect_row(result, "mutation", "----", "not run");
}

TEST_F(TestLegs, WhatDoesNotBuildIsARow) {
    program("tools/build", "[[ \"$1\" != tsan ]]");
    const ShellResult result = legs();
    EXPECT_EQ(result.status, 1) << result.err;
    expect_row(result, "asan", "3201", "\n");
    expect_row(result, "tsan", "----", "does not build");
    expect_row(result, "fuzz", "3201", "\n");
}

TEST_F(TestLegs, CtrlCEndsTheLegAtWorkAndPrintsTheTable) {
    const ShellResult result = interrupted("INT");
    EXPECT_EQ(result.status, 130) << result.out << result.err;
    expect_row(result, "default", "3201", "\n");
    expect_row(result, "mutation", "3201", "\n");
    expect_row(result, "torture", "----", "interrupted\n");
    EXPECT_THAT(result.out, Not(HasSubstr("\nasan ")));
    EXPECT_THAT(result.out, HasSubstr("test: interrupted"));
    expect_ended();
}

TEST_F(TestLegs, SigtermEndsTheLegAtWorkAndPrintsTheTable) {
    const ShellResult result = interrupted("TERM");
    EXPECT_EQ(result.status, 143) << result.out << result.err;
    expect_row(result, "mutation", "3201", "\n");
    expect_row(result, "torture", "----", "interrupted\n");
    expect_ended();
}

}  // namespace
}  // namespace atl
