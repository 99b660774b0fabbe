// `atoll task`, through the real program, worker and compile jail.

#include "tests/support/sanitizer.hpp"
#include "tests/support/shell.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <regex>

namespace atl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ShellResult;
using testing::SmallTask;
using testing::TemporaryFolder;

class TaskCommand : public ::testing::Test {
  protected:
    /// `out` holds standard output, then standard error.
    [[nodiscard]] ShellResult task(const std::string& arguments) const {
        ShellResult result =
            testing::run_shell("cd / && ATOLL_TASKS=" + m_files.folder().parent_path().string() +
                               " " + ATOLL_BIN_DIR + "/atoll task " + arguments);
        result.out += result.err;
        return result;
    }
    SmallTask m_files;
};

TEST_F(TaskCommand, ListsTasksAndWhatIsWrongWithThem) {
    testing::write_text(m_files.folder().parent_path() / "broken/definition.json", "{");
    const ShellResult list = task("list");
    EXPECT_EQ(list.status, 0);
    EXPECT_THAT(list.out, HasSubstr("small                    cpu_cpp           6       2"));
    EXPECT_THAT(list.out, HasSubstr("broken                   broken: "));
    const auto rows = nlohmann::json::parse(task("list --json").out);
    bool found = false;
    for (const auto& row : rows) {
        found = found || (row["name"] == "small" && row["hidden"] == 2);
    }
    EXPECT_TRUE(found);
}

// A task is a foreign text: it may not clear the screen, nor colour what follows it.
TEST_F(TaskCommand, WhatATaskSaysDoesNotCommandTheTerminal) {
    m_files.replace("definition.json", "\"op_type\": \"test\"",
                    R"("description": "\u001b[2Jgone\u009b2J")");
    testing::write_text(m_files.folder().parent_path() / "broken/definition.json",
                        R"({"name": "broken", "atoll": {"kind": "\u001b[31mred\u0007"}})");
    for (const char* line : {"list", "show small", "show broken", "check broken"}) {
        const std::string out = task(line).out;
        EXPECT_THAT(out,
                    AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\a")), Not(HasSubstr("\xC2\x9B"))))
            << line;
    }
    EXPECT_THAT(task("list").out, HasSubstr("'?[31mred?'"));
    EXPECT_THAT(task("show broken").out, HasSubstr("'?[31mred?'"));
    EXPECT_THAT(task("show small").out, HasSubstr("?[2Jgone??2J"));
    const auto json = nlohmann::json::parse(task("show small --json").out);
    EXPECT_EQ(json["description"],
              "\x1b[2Jgone\xC2\x9B"
              "2J");
    EXPECT_TRUE(nlohmann::json::accept(task("list --json").out));
}

TEST_F(TaskCommand, DescribesATaskOnce) {
    testing::write_text(m_files.folder().parent_path() / "judged/definition.json",
                        R"({"name": "judged", "description": "Do it well.", "atoll":
                            {"kind": "external", "external": {"command": ["true"]}}})");
    const std::string show = task("show judged").out;
    EXPECT_NE(show.find("Do it well."), std::string::npos) << show;
    EXPECT_EQ(show.find("Do it well."), show.rfind("Do it well.")) << show;
}

TEST_F(TaskCommand, ShowsWhatACandidateNeedsButNoHiddenShape) {
    const ShellResult show = task("show small");
    EXPECT_EQ(show.status, 0);
    EXPECT_THAT(show.out,
                AllOf(HasSubstr("void launch(const float* x, const float* bias, float alpha, "
                                "float* y, int rows, int cols)"),
                      HasSubstr("STEP = 1  of 1, 2, 4"), HasSubstr("and 2 hidden"),
                      HasSubstr("rows=3 cols=17")));
    for (const ShellResult& result : {show, task("show small --json")}) {
        EXPECT_THAT(result.out, Not(HasSubstr("secret")));
        EXPECT_THAT(result.out, Not(HasSubstr("29")));
    }
    EXPECT_EQ(nlohmann::json::parse(task("show small --json").out)["hidden_workloads"], 2);
}

TEST_F(TaskCommand, ShowsWhatThereIsOfABrokenTaskAndSaysWhatIsMissing) {
    m_files.remove("reference.cpp");
    for (const std::string more : {"", " --json"}) {
        const ShellResult show = task("show small" + more);
        EXPECT_EQ(show.status, 2);
        EXPECT_THAT(show.out, AllOf(HasSubstr("void launch(const float* x"),
                                    HasSubstr("reference.cpp: this file of the task is missing")));
    }
}

const std::string k_cuda_reference =
    "__global__ void all(double* y) { y[0] = 1; }\n"
    "void reference(const float* x, const float* bias, float alpha, double* y, int rows, int "
    "cols,\n"
    "               cudaStream_t stream) { all<<<1, 1, 0, stream>>>(y); }\n";

TEST_F(TaskCommand, ShowsAndChecksATaskForTheKindThatIsAskedFor) {
    const ShellResult without = task("show small --kind cuda");
    EXPECT_EQ(without.status, 2);
    EXPECT_THAT(without.out, HasSubstr("has no reference.cu, which kind cuda needs"));
    m_files.write("reference.cu", k_cuda_reference);
    m_files.write("starters/one.cu", "// no launch() here\n#define BLOCK 32  // tune: 32, 64\n");
    const auto show = nlohmann::json::parse(task("show small --kind cuda --json").out);
    EXPECT_EQ(show["kind"], "cuda");
    EXPECT_THAT(show["prototype"].get<std::string>(), HasSubstr("cudaStream_t stream"));
    EXPECT_EQ(show["starters"][0]["name"], "one");
    const ShellResult broken = task("check small --kind cuda");
    EXPECT_EQ(broken.status, 1);
    EXPECT_THAT(broken.out, AllOf(HasSubstr("[starter] starter 'one' defines no kernel"),
                                  HasSubstr("does not define launch() for the host"),
                                  HasSubstr("cudaStream_t stream"), Not(HasSubstr("[reference]"))));
    m_files.write(
        "starters/one.cu",
        "#ifndef BLOCK\n#define BLOCK 32  // tune: 32, 64\n#endif\n"
        "__global__ void one(float* y) { y[0] = 1; }\n"
        "void launch(const float* x, const float* bias, float alpha, float* y, int rows,\n"
        "            int cols, cudaStream_t stream) { one<<<1, BLOCK>>>(y); }\n");
    const ShellResult good = task("check small --kind cuda");
    EXPECT_EQ(good.status, 0) << good.out;
    EXPECT_THAT(good.out, HasSubstr("was not checked"));
    const ShellResult typo = task("show small --kind cudda");
    EXPECT_EQ(typo.status, 2);
    EXPECT_THAT(typo.out, HasSubstr("did you mean cuda?"));
}

TEST_F(TaskCommand, SuggestsANameForATypo) {
    const ShellResult show = task("show smal");
    EXPECT_EQ(show.status, 2);
    EXPECT_THAT(show.out, HasSubstr("did you mean 'small'?"));
}

TEST_F(TaskCommand, CheckTellsByItsExitStatus) {
    ATOLL_SKIP_UNDER_TSAN();
    const ShellResult good = task("check small");
    EXPECT_EQ(good.status, 0) << good.out;
    EXPECT_THAT(good.out, HasSubstr("small: passed (0 errors, 1 warning)"));
    m_files.replace("definition.json", "\"rtol\": 1e-5", "\"atol\": 100");
    const ShellResult bad = task("check small");
    EXPECT_EQ(bad.status, 1);
    EXPECT_THAT(bad.out, AllOf(HasSubstr("[cheat] zeros"), HasSubstr("small: FAILED")));
    const auto json = nlohmann::json::parse(task("check small --json").out);
    EXPECT_EQ(json["passed"], false);
    EXPECT_EQ(json["findings"][0]["severity"], "error");
    m_files.write("definition.json", "{");
    EXPECT_EQ(task("check small").status, 2);
    EXPECT_EQ(task("check").status, 2);
}

TEST_F(TaskCommand, NewMakesATaskThatPassesCheck) {
    ATOLL_SKIP_UNDER_TSAN();
    const TemporaryFolder place;
    const std::string output = " --output " + place.path().string();
    const ShellResult made = task("new fresh" + output);
    ASSERT_EQ(made.status, 0) << made.out;
    const ShellResult check = task("check " + (place.path() / "fresh").string());
    EXPECT_EQ(check.status, 0) << check.out;
    EXPECT_THAT(check.out, HasSubstr("fresh: passed (0 errors, 0 warnings)"));

    const ShellResult again = task("new fresh" + output);
    EXPECT_EQ(again.status, 2);
    EXPECT_THAT(again.out, HasSubstr("exists already"));
    EXPECT_EQ(task("new 'bad/name'" + output).status, 2);

    const ShellResult copied = task("new copy --from small" + output);
    ASSERT_EQ(copied.status, 0) << copied.out;
    EXPECT_EQ(task("check " + (place.path() / "copy").string()).status, 0);
    EXPECT_EQ(task("show " + (place.path() / "copy").string()).status, 0);
}

// A task is one folder: nothing else knows which tasks there are.
TEST_F(TaskCommand, AFolderIsAllThatATaskNeeds) {
    ATOLL_SKIP_UNDER_TSAN();
    namespace fs = std::filesystem;
    const fs::path added = m_files.folder().parent_path() / "added";
    fs::copy(fs::path(ATOLL_SOURCE_DIR) / "experiments/tasks/prefix_sum", added,
             fs::copy_options::recursive);
    for (const char* file : {"definition.json", "workload.jsonl", "workload_cuda.jsonl"}) {
        const std::string text = testing::read_text(added / file);
        testing::write_text(added / file,
                            std::regex_replace(text, std::regex("\"prefix_sum\""), "\"added\""));
    }
    EXPECT_THAT(task("list").out, HasSubstr("added                    cpu_cpp "));
    const ShellResult check = task("check added");
    EXPECT_EQ(check.status, 0) << check.out;
    EXPECT_THAT(check.out, HasSubstr("added: passed (0 errors, 0 warnings)"));
    const fs::path starter = added / "starters" / "1_running_sum.cpp";  // others need a GPU
    const ShellResult eval = testing::run_shell(
        "cd / && ATOLL_TASKS=" + added.parent_path().string() + " " + ATOLL_BIN_DIR +
        "/atoll eval --level verify --sandbox none added " + starter.string());
    EXPECT_EQ(eval.status, 0) << eval.out << eval.err;
    EXPECT_THAT(eval.out, HasSubstr("PASSED (task added"));
}

TEST_F(TaskCommand, ACopyInsideOfItsOriginalIsRefused) {
    const std::string original = m_files.folder().string();
    const ShellResult copy = task("new inner --from " + original + " --output " + original);
    EXPECT_EQ(copy.status, 2) << copy.out;
    EXPECT_THAT(copy.out, HasSubstr("inside"));
    EXPECT_FALSE(std::filesystem::exists(m_files.folder() / "inner"));
}

}  // namespace
}  // namespace atl
