#include "tests/integration/eval_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

namespace atl {
namespace {

using testing::EvalCommand;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::processes_of;
using testing::run_shell;
using testing::ShellResult;

TEST_F(EvalCommand, ReportsARightCandidate) {
    const ShellResult result = eval(candidate("right.cpp"));
    EXPECT_EQ(result.status, 0) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr("right.cpp: PASSED"));
    EXPECT_THAT(result.out, HasSubstr("large"));
    EXPECT_THAT(result.out, HasSubstr("geometric mean"));
    EXPECT_THAT(result.out, HasSubstr(" x"));
    EXPECT_THAT(result.out, Not(HasSubstr("secret")));
}

TEST_F(EvalCommand, TakesTheKindFromTheFilesNamesOrFromTheOption) {
    const std::string cu = candidate("right.cu");
    const std::string cpp = candidate("right.cpp");
    const ShellResult without = eval(cu);
    EXPECT_EQ(without.status, 2);
    EXPECT_THAT(without.err, HasSubstr("task small has no reference.cu, which kind cuda needs"));
    const ShellResult mixed = eval(cpp + " " + cu);
    EXPECT_EQ(mixed.status, 2);
    EXPECT_THAT(mixed.err, HasSubstr("right.cpp is cpu_cpp, "));
    EXPECT_THAT(mixed.err, HasSubstr("right.cu is cuda: "));
    EXPECT_EQ(eval("--kind cuda " + cpp).status, 2);
    const ShellResult told = eval("--kind cpu_cpp --level verify " + cu + " " + cpp);
    EXPECT_EQ(told.status, 0) << told.out << told.err;
    EXPECT_THAT(eval("--kind cpu " + cu).err,
                HasSubstr("must be cpu_cpp or cuda or ptx or cubin, not 'cpu'"));
}

TEST_F(EvalCommand, ReportsWhatIsWrongWithTheOthers) {
    const ShellResult result =
        eval(candidate("right.cpp") + " " + candidate("wrong.cpp", "y[i * cols] += 1;") + " " +
             candidate("syntax.cpp", "int ;;; = ") + " " +
             candidate("crash.cpp", "__builtin_trap();") + " " + file("empty.cpp", ""));
    EXPECT_EQ(result.status, 1) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr("right.cpp: PASSED"));
    EXPECT_THAT(result.out, HasSubstr("wrong.cpp: WRONG_RESULT"));
    EXPECT_THAT(result.out, HasSubstr("first mismatch: workload"));
    EXPECT_THAT(result.out, HasSubstr("syntax.cpp: COMPILE_ERROR"));
    EXPECT_THAT(result.out, HasSubstr("the compiler says"));
    EXPECT_THAT(result.out, HasSubstr("crash.cpp: CRASH"));
    const std::string crash = result.out.substr(result.out.find("crash.cpp: CRASH"));
    EXPECT_THAT(crash, Not(HasSubstr("first mismatch")));
    EXPECT_THAT(result.out, HasSubstr("empty.cpp: REJECTED"));
}

TEST_F(EvalCommand, TellsNothingAboutHiddenWorkloads) {
    const ShellResult result =
        eval("--level confirm " + candidate("cheat.cpp", "if (cols == 29) y[i * cols] += 1;"));
    EXPECT_EQ(result.status, 1) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr("hidden workload"));
    EXPECT_THAT(result.out, Not(HasSubstr("secret")));
    // Any digits may be among the times that its last line tells.
    EXPECT_THAT(result.out.substr(0, result.out.find("took compile")), Not(HasSubstr("29")));
}

TEST_F(EvalCommand, JsonHasTheDocumentedKeys) {
    const ShellResult result =
        eval("--json " + candidate("right.cpp") + " " + candidate("syntax.cpp", "int ;;; ="));
    EXPECT_EQ(result.status, 1) << result.err;
    const auto array = nlohmann::json::parse(result.out);
    ASSERT_EQ(array.size(), 2u);
    EXPECT_EQ(array[0]["status"], "passed");
    EXPECT_THAT(array[0]["file"].get<std::string>(), HasSubstr("right.cpp"));
    EXPECT_GT(array[0]["scores"]["speedup"].get<double>(), 0);
    EXPECT_GT(array[0]["scores"]["light"].get<double>(), 0);
    const auto& verdict = array[0]["verdict"];
    EXPECT_EQ(verdict["outcome"], "passed");
    EXPECT_EQ(verdict["trust"], "jailed");
    EXPECT_FALSE(verdict["verify"].empty());
    EXPECT_GT(verdict["measure"]["workloads"][0]["median_ns"].get<double>(), 0);
    EXPECT_EQ(array[1]["status"], "failed");
    EXPECT_EQ(array[1]["scores"]["speedup"], 0);
}

TEST_F(EvalCommand, ConfirmTimesHiddenWorkloadsAndTheStarterInOneRun) {
    const ShellResult result = eval("--json --level confirm " + candidate("right.cpp"));
    EXPECT_EQ(result.status, 0) << result.out << result.err;
    const auto measure = nlohmann::json::parse(result.out)[0]["verdict"]["measure"];
    EXPECT_EQ(measure["workloads"].size(), 2u);
    EXPECT_EQ(measure["rivals"]["starter"].size(), 2u);
}

TEST_F(EvalCommand, ConfirmShowsTheStarterOnce) {
    const ShellResult result = eval("--level confirm " + candidate("right.cpp"));
    EXPECT_THAT(result.out, HasSubstr("speed-up"));
    EXPECT_THAT(result.out, Not(HasSubstr("vs starter")));
}

TEST_F(EvalCommand, ConfirmMeasuresRivalsBesideTheFile) {
    const std::string right = candidate("right.cpp");
    const std::string other = candidate("other.cpp", "/* the same */");
    const ShellResult json = eval("--json --level confirm --rival " + other + " " + right);
    EXPECT_EQ(json.status, 0) << json.out << json.err;
    const auto measure = nlohmann::json::parse(json.out)[0]["verdict"]["measure"];
    EXPECT_EQ(measure["rivals"][other].size(), 2u);
    EXPECT_EQ(measure["rivals"].size(), 2u);
    const ShellResult text = eval("--level confirm --rival " + other + " " + right);
    EXPECT_THAT(text.out, HasSubstr("vs other.cpp"));
}

TEST_F(EvalCommand, RivalsThatCannotBeMeasuredAreRefused) {
    const std::string right = candidate("right.cpp");
    const ShellResult level = eval("--rival " + right + " " + right);
    EXPECT_EQ(level.status, 2);
    EXPECT_THAT(level.err, HasSubstr("--level confirm"));
    const std::string rival = " --rival " + right;
    const ShellResult twice = eval("--level confirm" + rival + rival + " " + right);
    EXPECT_EQ(twice.status, 2);
    EXPECT_THAT(twice.err, HasSubstr("named twice"));
    std::string many = "--level confirm";
    for (int i = 0; i < 17; ++i) {
        many += rival;
    }
    EXPECT_THAT(eval(many + " " + right).err, HasSubstr("16 is the most"));
    EXPECT_EQ(eval("--level confirm --rival /nowhere.cpp " + right).status, 2);
}

TEST_F(EvalCommand, OnlyWhatAGpuTimesIsProfiled) {
    const ShellResult cpu = eval("--profile " + candidate("right.cpp"));
    EXPECT_EQ(cpu.status, 2);
    EXPECT_THAT(cpu.err, HasSubstr("--profile is for kernels on a GPU"));
}

TEST_F(EvalCommand, ADeviceHasTheCoresThatItIsGiven) {
    if (std::thread::hardware_concurrency() < 2) {
        GTEST_SKIP() << "one core";
    }
    // Wrong, unless the process may run on two cores.
    const std::string needs_two =
        candidate("two.cpp", "if (std::thread::hardware_concurrency() != 2) y[i * cols] += 1;",
                  "#include <thread>\n");
    const ShellResult one = eval("--level verify " + needs_two);
    EXPECT_EQ(one.status, 1) << one.out << one.err;
    EXPECT_THAT(one.out, HasSubstr("WRONG_RESULT"));
    const ShellResult two = eval("--level measure --device-cores 2 " + needs_two);
    EXPECT_EQ(two.status, 0) << two.out << two.err;
}

TEST_F(EvalCommand, VerifyDoesNotTime) {
    const ShellResult result = eval("--json --level verify " + candidate("right.cpp"));
    EXPECT_EQ(result.status, 0) << result.out << result.err;
    EXPECT_TRUE(nlohmann::json::parse(result.out)[0]["verdict"]["measure"].is_null());
}

TEST_F(EvalCommand, TuneValuesAndFlagsReachTheCompiler) {
    const std::string needs_four = candidate("four.cpp", "static_assert(STEP == 4);");
    EXPECT_EQ(eval("--level verify " + needs_four).status, 1);
    EXPECT_EQ(eval("--level verify --tune STEP=4 --flag=-funroll-loops " + needs_four).status, 0);
    const ShellResult forbidden = eval("--level verify --flag=-fplugin=x " + needs_four);
    EXPECT_EQ(forbidden.status, 1);
    EXPECT_THAT(forbidden.out, HasSubstr("REJECTED"));
    const ShellResult misspelt = eval("--level verify --tune STEPP=4 " + candidate("right.cpp"));
    EXPECT_EQ(misspelt.status, 0);
    EXPECT_THAT(misspelt.err, HasSubstr("did you mean STEP?"));
}

TEST_F(EvalCommand, UsageErrorsSayWhatToDo) {
    EXPECT_EQ(run_shell(std::string(ATOLL_BIN_DIR) + "/atoll eval").status, 2);
    const ShellResult no_task =
        run_shell(std::string(ATOLL_BIN_DIR) + "/atoll eval no_such_task /dev/null");
    EXPECT_EQ(no_task.status, 2);
    EXPECT_THAT(no_task.err, HasSubstr("no_such_task"));
    const ShellResult no_file = eval((m_folder.path() / "missing.cpp").string());
    EXPECT_EQ(no_file.status, 2);
    EXPECT_THAT(no_file.err, HasSubstr("missing.cpp"));
    const std::string pipe = (m_folder.path() / "pipe").string();
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    const ShellResult waits = eval(pipe);
    EXPECT_EQ(waits.status, 2);
    EXPECT_THAT(waits.err, HasSubstr("not a regular file"));
    EXPECT_EQ(eval("--level everything " + candidate("a.cpp")).status, 2);
    EXPECT_EQ(eval("--tune STEP " + candidate("a.cpp")).status, 2);
    const ShellResult crowd = eval("--devices 1000 " + candidate("a.cpp"));
    EXPECT_EQ(crowd.status, 2);
    EXPECT_THAT(crowd.err, HasSubstr("cores"));
}

TEST_F(EvalCommand, ACompilerThatIsNotThereIsNamed) {
    const ShellResult result = eval("--compiler /nowhere/g++ " + candidate("a.cpp"));
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr("/nowhere/g++"));
}

TEST_F(EvalCommand, AReferenceThatDoesNotCompileIsNoVerdict) {
    m_task.write("reference.cpp", "extern \"C\" void reference(");
    const ShellResult result = eval("--json " + candidate("a.cpp"));
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(nlohmann::json::parse(result.out)[0]["status"], "fault");
}

TEST_F(EvalCommand, TheCacheFolderAnswersALaterCall) {
    const std::string arguments =
        "--json --cache " + (m_folder.path() / "cache").string() + " " + candidate("right.cpp");
    const auto first = nlohmann::json::parse(eval(arguments).out)[0]["verdict"];
    const auto second = nlohmann::json::parse(eval(arguments).out)[0]["verdict"];
    EXPECT_FALSE(first["from_cache"].get<bool>());
    EXPECT_TRUE(second["from_cache"].get<bool>());
    EXPECT_EQ(first["measure"], second["measure"]);
}

TEST_F(EvalCommand, ACacheFolderThatCannotBeWrittenIsSaid) {
    const ShellResult result = eval("--cache /proc/nothing " + candidate("right.cpp"));
    EXPECT_EQ(result.status, 2) << result.out;
    EXPECT_THAT(result.err, HasSubstr("/proc/nothing"));
    EXPECT_THAT(result.err, HasSubstr("cache folder"));
}

TEST_F(EvalCommand, ACacheFolderThatTakesNoVerdictsIsSaidAndTheVerdictsStand) {
    const auto cache = m_folder.path() / "cache";
    std::filesystem::create_directory(cache);
    const std::string digits = "0123456789abcdef";
    for (const char high : digits) {  // files where the verdicts' folders would be
        for (const char low : digits) {
            std::ofstream(cache / std::string{high, low});
        }
    }
    const ShellResult result =
        eval("--level verify --cache " + cache.string() + " " + candidate("right.cpp"));
    EXPECT_EQ(result.status, 0) << result.out;
    EXPECT_THAT(result.out, HasSubstr("PASSED"));
    EXPECT_THAT(result.err, HasSubstr("not all verdicts are kept in the cache folder"));
    EXPECT_THAT(result.err, HasSubstr(cache.string()));
}

TEST_F(EvalCommand, AReferenceThatIsMissingOrCrashesIsNamed) {
    m_task.write("reference.cpp", "int nothing;");
    const ShellResult missing = eval(candidate("a.cpp"));
    EXPECT_EQ(missing.status, 2);
    EXPECT_THAT(missing.out, HasSubstr("the function reference() is missing"));
    EXPECT_THAT(missing.out, HasSubstr("extern \"C\" void reference("));
    m_task.write("reference.cpp",
                 "extern \"C\" void reference(const float*, const float*, float, double*, int, int)"
                 "{ __builtin_trap(); }");
    const ShellResult crash = eval(candidate("a.cpp"));
    EXPECT_EQ(crash.status, 2);
    EXPECT_THAT(crash.out, HasSubstr("the reference crashed"));
    EXPECT_THAT(crash.out, HasSubstr("atoll task check " + m_task.folder().string()));
    for (const std::string status : {"0", "1", "3"}) {
        m_task.write("reference.cpp",
                     "extern \"C\" void exit(int);\n"
                     "extern \"C\" void reference(const float*, const float*, float, double*, int, "
                     "int) { exit(" +
                         status + "); }");
        const ShellResult exit = eval("--json " + candidate("a.cpp"));
        EXPECT_EQ(exit.status, 2);
        EXPECT_THAT(exit.out, HasSubstr("reference.cpp: the reference ended its process (exit "
                                        "status " +
                                        status + ")"));
        EXPECT_THAT(exit.out, HasSubstr("\"attempts\": 1"));
    }
}

// A reference that never ends gets this signal (SIGPROF) from its process after a minute.
TEST_F(EvalCommand, AReferenceThatTakesTooLongIsNamedAndNotTriedAgain) {
    m_task.write("reference.cpp",
                 "extern \"C\" int raise(int);\n"
                 "extern \"C\" void reference(const float*, const float*, float, double*, int, int)"
                 "{ raise(27); }");
    const ShellResult slow = eval("--json " + candidate("a.cpp"));
    EXPECT_EQ(slow.status, 2);
    EXPECT_THAT(slow.out, HasSubstr("reference.cpp: the reference took longer than 60 s"));
    EXPECT_THAT(slow.out, HasSubstr("atoll task check " + m_task.folder().string()));
    EXPECT_THAT(slow.out, HasSubstr("\"attempts\": 1"));
}

TEST_F(EvalCommand, HelpHasExamples) {
    const ShellResult result = run_shell(std::string(ATOLL_BIN_DIR) + "/atoll eval --help");
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.out, HasSubstr("Examples:"));
}

TEST_F(EvalCommand, KillLeavesNoProcessBehind) {
    const std::string loops = candidate("loops.cpp", "for (volatile int k = 0;; ) { (void)k; }");
    const std::string line = "exec " + command(loops) + " >/dev/null 2>&1";
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
        _exit(127);
    }
    const auto wait_for = [&](auto reached) {
        for (int i = 0; i < 6000 && !reached(processes_of(child)); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return reached(processes_of(child));
    };
    EXPECT_TRUE(wait_for([](int count) { return count >= 4; }));  // compiler, runner, verifier
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(wait_for([](int count) { return count == 0; }));
}

TEST_F(EvalCommand, TheCompilersExcerptShowsTheLineThatItSpeaksOf) {
    const ShellResult result = eval("--level verify " + candidate("bad.cpp", "undeclared = 1;"));
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.out, ::testing::ContainsRegex("[0-9]+ \\| +undeclared = 1;")) << result.out;
}

TEST_F(EvalCommand, ACompilerInAPrefixWithALinkForAFolderWorks) {
    const std::filesystem::path prefix = m_folder.path() / "prefix";
    std::filesystem::create_directories(prefix / "bin");
    std::filesystem::create_directories(prefix / "lib");
    std::filesystem::create_symlink("lib", prefix / "lib64");
    const std::filesystem::path compiler = prefix / "bin/g++";
    std::ofstream(compiler) << "#!/bin/sh\nexec /usr/bin/g++ \"$@\"\n";
    for (const std::filesystem::path& path : {compiler, m_folder.path()}) {
        std::filesystem::permissions(path, std::filesystem::perms(0755));
    }
    const ShellResult result =
        eval("--level verify --compiler " + compiler.string() + " " + candidate("right.cpp"));
    EXPECT_EQ(result.status, 0) << result.out << result.err;
}

}  // namespace
}  // namespace atl
