// `atoll eval` where the task's own program judges.

#include "tests/integration/eval_command.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace atl {
namespace {

using testing::EvalCommand;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::processes_of;
using testing::run_shell;
using testing::ShellResult;

/// A task whose judge is a shell script, evaluated where neither compiler nor sandbox is.
class EvalExternal : public EvalCommand {
  protected:
    void set_judge(const std::string& script, const std::string& limits = "") const {
        testing::write_text(m_folder.path() / "outside/definition.json",
                            R"({"name": "outside", "atoll": {"kind": "external", "external":
                                {"command": ["sh", "judge.sh"])" +
                                limits + "}}}");
        testing::write_text(m_folder.path() / "outside/judge.sh", script);
    }
    std::string line(const std::string& arguments) const {
        std::filesystem::create_directories(m_folder.path() / "tmp");
        return "TMPDIR=" + (m_folder.path() / "tmp").string() + " " + ATOLL_BIN_DIR +
               "/atoll eval --sandbox full --compiler /nowhere/g++ " +
               (m_folder.path() / "outside").string() + " " + arguments;
    }
    std::size_t judge_folders() const {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::directory_iterator(m_folder.path() / "tmp")) {
            count += entry.path().filename().string().starts_with("atoll-judge-") ? 1 : 0;
        }
        return count;
    }
};

TEST_F(EvalExternal, CtrlCLeavesNothingBehindAndSaysSo) {
    const std::string began = (m_folder.path() / "began").string();
    set_judge("touch " + began + "; sleep 1000");
    testing::write_text(m_folder.path() / "one.txt", "1");
    const std::string log = (m_folder.path() / "log").string();
    const std::string whole =
        "exec env " + line((m_folder.path() / "one.txt").string()) + " >" + log + " 2>&1";
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", whole.c_str(), nullptr);
        _exit(127);
    }
    while (!std::filesystem::exists(began)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(judge_folders(), 1u);
    kill(child, SIGINT);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 130);
    std::ifstream file(log);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "atoll: interrupted\n");
    EXPECT_EQ(judge_folders(), 0u);
}

// We ignore the signal of a file that grows too large; a judge has a limit of its own.
TEST_F(EvalExternal, AJudgeHasTheSignalsOfAFreshProgram) {
    set_judge(R"(ignored=$(sed -n 's/^SigIgn:[[:space:]]*//p' /proc/self/status)
                 echo "{\"correct\": true, \"score\": $((1 + (0x$ignored >> 24 & 1)))}")");
    testing::write_text(m_folder.path() / "one.txt", "1");
    const ShellResult result = run_shell(line((m_folder.path() / "one.txt").string()));
    EXPECT_THAT(result.out, HasSubstr("score = 1\n")) << result.err;
}

TEST_F(EvalExternal, AFolderIsACandidateAndNoCompilerIsDemanded) {
    set_judge(R"(echo "{\"correct\": true, \"score\": $(cat "$1/part/score")}")");
    testing::write_text(m_folder.path() / "mine/part/score", "42");
    const std::string mine = (m_folder.path() / "mine").string();
    const ShellResult result = run_shell(line(mine));
    EXPECT_EQ(result.status, 0) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr("score = 42"));
    EXPECT_THAT(result.out, Not(HasSubstr("\n  \n")));
    EXPECT_EQ(judge_folders(), 0u);
    const ShellResult other = eval(mine);
    EXPECT_EQ(other.status, 1);
    EXPECT_THAT(other.out, HasSubstr("REJECTED"));
    EXPECT_THAT(other.out, HasSubstr("give one C++ file"));
}

TEST_F(EvalExternal, ADeadlineEndsTheJudge) {
    // Were the judge not ended, the command would take its hour.
    set_judge("sleep 3600", R"(, "timeout_s": 3600)");
    const ShellResult result = run_shell(line("--deadline 1 " + file("x.py", "x")));
    EXPECT_EQ(result.status, 3) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr("the deadline passed while it was compiled or judged"));
}

TEST_F(EvalExternal, KillLeavesNoJudgeBehindAndTheNextCallTidiesUp) {
    const std::string mark = (m_folder.path() / "pid").string();
    set_judge("setsid sleep 3600 & echo $! > " + mark + "; sleep 3600", R"(, "timeout_s": 3600)");
    const std::string command = "export " + line(file("x.py", "x")) + " >/dev/null 2>&1";
    const std::size_t program = command.find(ATOLL_BIN_DIR);
    const std::string script = command.substr(0, program) + "; exec " + command.substr(program);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
        _exit(127);
    }
    const auto wait_for = [](auto reached) {
        for (int i = 0; i < 6000 && !reached(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return reached();
    };
    ASSERT_TRUE(wait_for([&] { return !testing::read_text(mark).empty(); }));
    const std::string stat =
        "/proc/" + std::to_string(std::stoi(testing::read_text(mark))) + "/stat";
    EXPECT_FALSE(testing::read_text(stat).empty());
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(wait_for([&] {
        const std::string text = testing::read_text(stat);
        return text.empty() || text.find(") Z") != std::string::npos;
    }));
    EXPECT_EQ(judge_folders(), 1u);
    set_judge("echo '{\"correct\": true, \"score\": 1}'");
    EXPECT_EQ(run_shell(line(file("x.py", "x"))).status, 0);
    EXPECT_EQ(judge_folders(), 0u);
}

}  // namespace
}  // namespace atl
