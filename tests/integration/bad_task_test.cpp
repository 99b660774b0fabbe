#include "tests/support/shell.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace atl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::run_shell;
using testing::ShellResult;

namespace fs = std::filesystem;

/// Campaigns on tasks that only a correction mends: nothing is tried again, and the error says what
/// to correct.
class BadTask : public ::testing::Test {
  protected:
    ShellResult run(const fs::path& task, const std::string& more = "") const {
        const fs::path config = m_folder.path() / "c.toml";
        std::ofstream(config)
            << "[campaign]\ntask = '" << task.string()
            << "'\n[evaluation]\nretries = 100\nsandbox = 'none'\n[stop]\nmax_evaluations = 9\n"
            << more;
        return run_shell(ATOLL_BIN_DIR "/atoll run " + config.string() + " --output " +
                         (m_folder.path() / "run").string());
    }

    static void expect_mistake(const ShellResult& result, const std::string& part) {
        EXPECT_EQ(result.status, 2) << result.out << result.err;
        EXPECT_THAT(result.err, HasSubstr(part));
        EXPECT_THAT(result.out + result.err, Not(HasSubstr("trying again")));
    }

    testing::TemporaryFolder m_folder;
};

TEST_F(BadTask, AJudgeThatDoesNotExist) {
    const fs::path task = m_folder.path() / "judged";
    fs::create_directories(task / "starters");
    std::ofstream(task / "definition.json")
        << R"({"name": "judged", "atoll": {"kind": "external",)"
        << R"("external": {"command": ["no-such-program-anywhere"], "candidate_file": "c.txt"}}})";
    std::ofstream(task / "starters" / "a.txt") << "text";
    expect_mistake(
        run(task, "[score]\npreset = 'external'\n"),
        "atoll.external.command: the judge's program 'no-such-program-anywhere' is missing");
    const ShellResult eval = run_shell(ATOLL_BIN_DIR "/atoll eval " + task.string() + " " +
                                       (task / "starters" / "a.txt").string());
    EXPECT_EQ(eval.status, 2) << eval.err;
    EXPECT_THAT(eval.out, HasSubstr("NO VERDICT (the task is at fault)"));
    EXPECT_THAT(eval.out, HasSubstr("the judge's program 'no-such-program-anywhere' is missing"));
    const ShellResult show = run_shell(ATOLL_BIN_DIR "/atoll task show " + task.string());
    EXPECT_EQ(show.status, 2);
    EXPECT_THAT(show.out, HasSubstr("no-such-program-anywhere"));
    EXPECT_THAT(show.err, HasSubstr("is missing"));
}

TEST_F(BadTask, AJudgeWhoseScoreIsALossNegated) {
    const fs::path task = m_folder.path() / "judged";
    fs::create_directories(task / "starters");
    std::ofstream(task / "definition.json")
        << R"({"name": "judged", "atoll": {"kind": "external",)"
        << R"("external": {"command": ["sh", "judge.sh"], "candidate_file": "c.txt"}}})";
    std::ofstream(task / "judge.sh") << "echo '{\"correct\": true, \"score\": -3.5}'\n";
    std::ofstream(task / "starters" / "a.txt") << "N = 1  # tune: 1, 2\n";
    expect_mistake(run(task, "[score]\npreset = 'external'\n"),
                   "the first starter \"a\" passed with score -3.5; a score must be above 0");
}

TEST_F(BadTask, AReferenceThatExits) {
    const fs::path task = m_folder.path() / "exits";
    fs::copy(fs::path(ATOLL_SOURCE_DIR) / "experiments" / "tasks" / "prefix_sum", task,
             fs::copy_options::recursive);
    std::ofstream(task / "reference.cpp")
        << "extern \"C\" void exit(int);\n"
           "extern \"C\" void reference(const float*, double*, int) { exit(0); }\n";
    expect_mistake(run(task), "reference.cpp: the reference ended its process (exit status 0)");
}

}  // namespace
}  // namespace atl
