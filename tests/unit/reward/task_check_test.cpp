#include "reward/task_check.hpp"

#include "tests/unit/reward/task_fixture.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <functional>

namespace atl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::SmallTask;
using testing::TemporaryFolder;

/// g++ without a jail: what is compiled here are the tests' own sources.
class PlainCompiler final : public Compiler {
  public:
    Expected<CompileResult> compile(const CompileRequest& request) override {
        const TemporaryFolder folder;
        testing::write_text(folder.path() / "source.cpp", request.source);
        std::string command = "g++ -std=c++20 -O1 -shared -fPIC -o " +
                              (folder.path() / "out.so").string() + " " +
                              (folder.path() / "source.cpp").string();
        for (const std::string& library : request.libraries) {
            command += " -l" + library;
        }
        FILE* pipe = popen((command + " 2>&1").c_str(), "r");
        CompileResult result;
        std::array<char, 4096> buffer;
        while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
            result.log.append(buffer.data(), size);
        }
        if (pclose(pipe) == 0) {
            result.status = CompileResult::Status::ok;
            result.binary =
                FileHandle(::open((folder.path() / "out.so").c_str(), O_RDONLY | O_CLOEXEC));
        }
        return result;
    }
    std::string toolchain() const override { return "g++"; }
    std::uint64_t restarts() const override { return 0; }
};

std::string text_of(const TaskCheck& check) {
    std::string text;
    for (const TaskFinding& finding : check.findings) {
        text += std::string(to_string(finding.severity)) + " [" + finding.rule + "] " +
                finding.what + "\n";
    }
    return text;
}

TaskCheck check(const SmallTask& files) {
    PlainCompiler compiler;
    return value_or_throw(check_task(files.task(), &compiler));
}

TEST(TaskCheck, PassesAGoodTask) {
    const SmallTask files;
    const TaskCheck result = check(files);
    EXPECT_TRUE(result.passed()) << text_of(result);
    EXPECT_THAT(text_of(result), HasSubstr("there is only one starter"));
    EXPECT_THAT(text_of(result), HasSubstr("starter 'plain' uses at most"));
    EXPECT_THAT(text_of(result), HasSubstr("times the tolerance"));
}

TEST(TaskCheck, WhatWasNotLookedAtIsNotBlamed) {
    SmallTask files;
    files.replace("definition.json", "3*rows*cols", "3000000000000*rows*cols");
    const TaskCheck result = check(files);
    EXPECT_EQ(result.count(TaskFinding::Severity::error), 1u) << text_of(result);
    EXPECT_THAT(text_of(result), HasSubstr("is small enough to be looked at (atoll.work.flops says "
                                           "3e+12 operations or more)"));
}

TEST(TaskCheck, TakesAStatedZeroForWorkWithoutOperations) {
    SmallTask files;
    files.replace("definition.json", "3*rows*cols", "0");
    const TaskCheck result = check(files);
    EXPECT_TRUE(result.passed()) << text_of(result);
    EXPECT_THAT(text_of(result), Not(HasSubstr("[work]")));
}

/// One way to make the small task unable to tell right from wrong.
struct Flaw {
    std::string name;
    std::function<void(SmallTask&)> make;
    std::string rule;
    std::string message;
    TaskFinding::Severity severity = TaskFinding::Severity::error;
};

class FlawedTask : public ::testing::TestWithParam<Flaw> {};

TEST_P(FlawedTask, IsFound) {
    SmallTask files;
    GetParam().make(files);
    const TaskCheck result = check(files);
    bool found = false;
    for (const TaskFinding& finding : result.findings) {
        found =
            found || (finding.severity == GetParam().severity && finding.rule == GetParam().rule &&
                      finding.what.find(GetParam().message) != std::string::npos);
    }
    EXPECT_TRUE(found) << text_of(result);
    EXPECT_EQ(result.passed(), GetParam().severity != TaskFinding::Severity::error);
}

std::function<void(SmallTask&)> edit(const std::string& file, const std::string& from,
                                     const std::string& to) {
    return [=](SmallTask& task) { task.replace(file, from, to); };
}

const std::string k_head =
    "extern \"C\" void reference(const float* x, const float* bias, float alpha, double* y,\n"
    "                          int rows, int cols) {\n"
    "    const long n = long(rows) * cols;\n"
    "    (void)bias; (void)alpha; (void)x;\n";

std::function<void(SmallTask&)> reference(const std::string& body) {
    return [=](SmallTask& task) { task.write("reference.cpp", k_head + body + "}\n"); };
}

std::function<void(SmallTask&)> starter(const std::string& body) {
    return [=](SmallTask& task) {
        task.write("starters/plain.cpp",
                   "#define STEP 1  // tune: 1, 2\n"
                   "extern \"C\" void launch(const float* x, const float* bias, float alpha, "
                   "float* y, int rows, int cols) {\n" +
                       body + "}\n");
    };
}

std::string flaw_name(const ::testing::TestParamInfo<Flaw>& flaw) {
    return flaw.param.name;
}

INSTANTIATE_TEST_SUITE_P(
    Cheats, FlawedTask,
    ::testing::Values(
        Flaw{"zeros", edit("definition.json", "\"rtol\": 1e-5", "\"atol\": 100"), "cheat",
             "zeros as output 'y' passes every verify workload"},
        Flaw{"constant", reference("for (long i = 0; i < n; ++i) y[i] = 1 + 1e-9 * x[i];"), "cheat",
             "the constant 1 as output 'y'"},
        Flaw{"mean", reference("for (long i = 0; i < n; ++i) y[i] = 7 + 1e-9 * x[i];"), "cheat",
             "the mean of the right answer as output 'y'"},
        Flaw{"echo", reference("for (long i = 0; i < n; ++i) y[i] = x[i] * (1 + 1e-9 * alpha);"),
             "cheat", "a copy of input 'x' as output 'y'"},
        Flaw{"stale", reference("for (long i = 0; i < n; ++i) y[i] = i + 1 + 1e-9 * x[i];"),
             "cheat", "the answer to other inputs as output 'y'"},
        // Timed answers are checked under the first distribution, which must therefore be random.
        Flaw{"stale_when_timed",
             [](SmallTask& task) {
                 task.replace("definition.json",
                              R"("normal": {"x": {"kind": "normal"}, "bias": {"kind": "normal"}})",
                              R"("flat": {"x": {"kind": "ramp"}, "bias": {"kind": "ramp"}})");
             },
             "cheat", "passes measured workload 'large'"}),
    flaw_name);

INSTANTIATE_TEST_SUITE_P(
    Reference, FlawedTask,
    ::testing::Values(
        Flaw{"missing", [](SmallTask& task) { task.remove("reference.cpp"); }, "reference",
             "reference.cpp is missing"},
        Flaw{"does_not_compile", reference("nonsense;"), "reference", "does not compile"},
        Flaw{"wrong_signature", edit("reference.cpp", "double* y", "float* y"), "reference",
             "wrong signature"},
        Flaw{"crashes", reference("*(volatile int*)0 = n;"), "reference", "the reference crashed"},
        Flaw{"unwritten", reference("for (long i = 0; i + 1 < n; ++i) y[i] = x[i] + bias[0];"),
             "unwritten", "does not write output 'y', element 50"},
        Flaw{"not_finite", reference("for (long i = 0; i < n; ++i) y[i] = x[i] / 0.0;"), "finite",
             "not finite"},
        Flaw{"keeps_state",
             reference("static int calls = 0; ++calls; for (long i = 0; i < n; ++i) "
                       "y[i] = x[i] + calls;"),
             "repeatable", "answers differently when asked again"},
        Flaw{"writes_inputs",
             reference("const_cast<float*>(x)[0] += 1; for (long i = 0; i < n; ++i) y[i] = 1;"),
             "inputs", "writes to its inputs"},
        Flaw{"ignores_an_input", edit("reference.cpp", "+ bias[j] ", ""), "dependence",
             "when input 'bias' does"},
        Flaw{"ignores_a_scalar", edit("reference.cpp", "double(alpha)", "1.5"), "dependence",
             "when input 'alpha' does"},
        Flaw{"too_tight",
             edit("definition.json", "\"rtol\": 1e-5, \"atol_rms\": 1e-5",
                  "\"rtol\": 1e-12, \"atol_rms\": 0"),
             "tolerance", "even the exact answer"},
        Flaw{"loose",
             edit("definition.json", "\"rtol\": 1e-5, \"atol_rms\": 1e-5",
                  "\"rtol\": 1e-2, \"atol_rms\": 1e-2"),
             "precision", "so they pass", TaskFinding::Severity::warning},
        Flaw{"matched_ratio",
             edit("definition.json", "\"rtol\": 1e-5,", "\"rtol\": 1e-5, \"matched_ratio\": 0.5,"),
             "tolerance", "lets more than a tenth be wrong"}),
    flaw_name);

INSTANTIATE_TEST_SUITE_P(
    Text, FlawedTask,
    ::testing::Values(
        Flaw{"one_distribution",
             [](SmallTask& task) {
                 task.replace(
                     "definition.json",
                     ",\n            \"ramp\": {\"x\": {\"kind\": \"ramp\", \"start\": -1, "
                     "\"step\": 2}, \"bias\": {\"kind\": \"uniform\"}}",
                     "");
             },
             "distributions", "there is 1 input distribution"},
        Flaw{"same_distributions",
             edit("definition.json",
                  "{\"x\": {\"kind\": \"ramp\", \"start\": -1, \"step\": 2}, \"bias\": "
                  "{\"kind\": \"uniform\"}}",
                  "{\"bias\": {\"kind\": \"normal\"}}"),
             "distributions", "generate the same values"},
        Flaw{"no_hidden",
             [](SmallTask& task) {
                 task.write("workload.jsonl", SmallTask::line("a", 3, 17, "verify", false) +
                                                  SmallTask::line("b", 7, 5, "verify", false) +
                                                  SmallTask::line("c", 64, 64, "measure", false));
             },
             "hidden", "there are no hidden workloads"},
        Flaw{"hidden_shape_is_public",
             edit("workload.jsonl", "\"rows\": 5, \"cols\": 29", "\"rows\": 3, \"cols\": 17"),
             "hidden", "has the shape of 'odd'"},
        Flaw{"nothing_measured",
             edit("workload.jsonl", "\"use\": \"measure\", \"hidden\": false",
                  "\"use\": \"verify\", \"hidden\": false"),
             "workloads", "no public workload is measured"},
        Flaw{"too_many_verify",
             [](SmallTask& task) {
                 for (int i = 0; i < 62; ++i) {
                     task.append("workload.jsonl", SmallTask::line("more" + std::to_string(i), 2,
                                                                   100 + i, "verify", false));
                 }
             },
             "workloads", "of the 65 public workloads of use verify only the first 64 are used",
             TaskFinding::Severity::warning},
        Flaw{"one_verify",
             [](SmallTask& task) {
                 task.write("workload.jsonl", SmallTask::line("a", 3, 17, "verify", false) +
                                                  SmallTask::line("c", 64, 64, "measure", false) +
                                                  SmallTask::line("d", 9, 9, "verify", true));
             },
             "workloads", "there are 1 public workloads of use verify"},
        Flaw{"nothing_awkward",
             [](SmallTask& task) {
                 task.write("workload.jsonl", SmallTask::line("a", 4, 16, "verify", false) +
                                                  SmallTask::line("b", 8, 32, "verify", false) +
                                                  SmallTask::line("c", 64, 64, "measure", false) +
                                                  SmallTask::line("d", 9, 9, "verify", true));
             },
             "awkward", "multiples of four"},
        Flaw{"no_bytes", edit("definition.json", "8*rows*cols + 4*cols", "0"), "work",
             "bytes is not positive"},
        Flaw{"no_flops", edit("definition.json", "\"flops\": \"3*rows*cols\", ", ""), "work",
             "flops is not positive", TaskFinding::Severity::warning},
        Flaw{"flops_vanish", edit("definition.json", "3*rows*cols", "3*(rows - rows)"), "work",
             "flops is not positive", TaskFinding::Severity::warning},
        Flaw{"too_many_bytes", edit("definition.json", "8*rows*cols + 4*cols", "80*rows*cols"),
             "work", "exceeds all tensors"},
        Flaw{"no_starters", [](SmallTask& task) { task.remove("starters"); }, "starter",
             "there are no starters"},
        Flaw{"name",
             [](SmallTask& task) {
                 task.replace("definition.json", "\"small\"", "\"other\"");
                 std::string lines = testing::read_text(task.folder() / "workload.jsonl");
                 for (std::size_t at; (at = lines.find("\"small\"")) != std::string::npos;) {
                     lines.replace(at, 7, "\"other\"");
                 }
                 task.write("workload.jsonl", lines);
             },
             "name", "the task 'other'", TaskFinding::Severity::warning}),
    flaw_name);

INSTANTIATE_TEST_SUITE_P(
    Starters, FlawedTask,
    ::testing::Values(
        Flaw{"untunable", edit("starters/plain.cpp", "// tune: 1, 2, 4", ""), "tune",
             "has no tune macro"},
        Flaw{"does_not_compile", starter("nonsense;"), "starter",
             "starter 'plain' does not compile"},
        Flaw{"wrong", starter("for (long i = 0; i < long(rows) * cols; ++i) y[i] = x[i];"),
             "starter", "starter 'plain' is wrong: output 'y'"},
        Flaw{"incomplete", starter("(void)x; (void)y;"), "starter", "is nan instead of"},
        Flaw{"crashes", starter("for (long i = 0;; ++i) y[i] = 0;"), "starter",
             "starter 'plain' crashed"},
        Flaw{"baseline",
             [](SmallTask& task) {
                 task.replace("definition.json", "\"work\":",
                              "\"baselines\": [{\"name\": \"b\", \"file\": \"b.cpp\"}], \"work\":");
                 task.write("b.cpp",
                            "extern \"C\" void launch(const float*, const float*, float, "
                            "float*, int, int) {}");
             },
             "baseline", "baseline 'b' is wrong"},
        Flaw{"missing_library",
             [](SmallTask& task) {
                 task.replace("definition.json", "\"work\":",
                              "\"baselines\": [{\"name\": \"b\", \"file\": \"b.cpp\", "
                              "\"libraries\": [\"no_such_library\"]}], \"work\":");
                 task.write("b.cpp", testing::read_text(task.folder() / "starters/plain.cpp"));
             },
             "baseline", "does not compile", TaskFinding::Severity::warning}),
    flaw_name);

/// A judge that calls everything correct, and others.
class ExternalCheck : public ::testing::Test {
  protected:
    TaskCheck check(const std::string& judge,
                    const std::string& starter = "N = 1  # tune: 1, 2\n") {
        const std::filesystem::path folder = m_root.path() / "judged";
        testing::write_text(folder / "definition.json",
                            R"({"name": "judged", "atoll": {"kind": "external", "external": )"
                            R"({"command": ["sh", "judge.sh"], "candidate_file": "c.txt"}}})");
        testing::write_text(folder / "judge.sh", judge);
        testing::write_text(folder / "starters/one.txt", starter);
        return value_or_throw(check_task(value_or_throw(load_task(folder)), nullptr));
    }

    TemporaryFolder m_root;
};

const std::string k_good_judge =
    "grep -q N \"$1\" && echo '{\"correct\": true, \"score\": 1}' || echo '{\"correct\": false}'";

TEST_F(ExternalCheck, PassesAJudgeThatLooks) {
    EXPECT_TRUE(check(k_good_judge).passed());
}

TEST_F(ExternalCheck, FindsAJudgeThatDoesNotLook) {
    EXPECT_THAT(text_of(check("echo '{\"correct\": true, \"score\": 1}'")),
                HasSubstr("the judge calls an empty file correct"));
}

TEST_F(ExternalCheck, FindsThatTheJudgeIsMissing) {
    EXPECT_TRUE(check(k_good_judge).passed());
    std::filesystem::remove(m_root.path() / "judged/judge.sh");
    const TaskPtr task = value_or_throw(load_task(m_root.path() / "judged"));
    EXPECT_THAT(text_of(value_or_throw(check_task(task, nullptr))),
                HasSubstr("the judge's program 'judge.sh' is missing"));
}

TEST_F(ExternalCheck, FindsStartersThatFailOrCannotBeTuned) {
    EXPECT_THAT(
        text_of(check(k_good_judge, "nothing")),
        ::testing::AllOf(HasSubstr("starter 'one' does not pass"), HasSubstr("has no tune macro")));
}

TEST_F(ExternalCheck, FindsScoresThatASearchTakesForWrong) {
    for (const std::string score : {"-3.5", "0"}) {
        const TaskCheck found =
            check("grep -q N \"$1\" && echo '{\"correct\": true, \"score\": " + score +
                  "}' || echo '{\"correct\": false}'");
        EXPECT_FALSE(found.passed());
        EXPECT_THAT(text_of(found), HasSubstr("starter 'one' passes with score " + score +
                                              "; a score must be above 0"));
    }
}

TEST(ExternalTaskCheck, PassesTheShippedExample) {
    const TaskPtr task = value_or_throw(
        load_task(std::filesystem::path(ATOLL_SOURCE_DIR) / "experiments/tasks/packing"));
    const TaskCheck result = value_or_throw(check_task(task, nullptr));
    EXPECT_TRUE(result.passed()) << text_of(result);
}

}  // namespace
}  // namespace atl
