#include "tools/atoll/torch_baselines.hpp"

#include "reward/comparison.hpp"
#include "tests/support/shell.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tools/atoll/torch_request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <thread>

namespace atl {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// y = 2 x, of n elements; timed with 5, checked with 3.
TaskPtr doubling(const fs::path& folder) {
    auto task = std::make_shared<Task>();
    task->name = "doubling";
    task->folder = folder;
    task->kind = "cuda";
    task->axes = {{"n", Axis::Kind::variable, 0, "", ""}};
    task->inputs = {{"x", DType::f32, {"n"}, false, ""}};
    task->outputs = {{"y", DType::f32, {"n"}, false, ""}};
    task->distributions = {{"normal", {}}};
    Workload timed;
    timed.id = "five";
    timed.axes = {{"n", 5}};
    Workload checked;
    checked.id = "three";
    checked.axes = {{"n", 3}};
    checked.use = Workload::Use::verify;
    Workload hidden = timed;
    hidden.id = "secret";
    hidden.hidden = true;
    task->workloads = {timed, checked, hidden};
    task->tolerance.rtol = 1e-6;
    fs::create_directories(folder / "baselines");
    std::ofstream(folder / "baselines" / "torch.py") << "def baseline(x, n): return 2 * x\n";
    return task;
}

/// Says that the answer is 3, 3, 3, whatever the inputs.
class ThreesOracle final : public Oracle {
  public:
    Expected<ExpectedOutputs> run(const std::map<std::string, std::int64_t>&,
                                  const InputSet&) const override {
        return ExpectedOutputs{{3, 3, 3}};
    }
};

constexpr const char* k_program =
    R"({"version":1,"torch":"9.9","device":"a GPU","unavailable":""})";
constexpr const char* k_times =
    R"({"task":"doubling","clock":"cupti","check_error":"","rows":[)"
    R"({"workload":"five","mode":"eager","samples_ns":[1000,1010,990],"problem":""}]})";

/// Stands for Python: a script that gets the helper's path and the request's.
class TorchBaselines : public ::testing::Test {
  protected:
    TorchReport run_with(const std::string& script, double seconds = 30) {
        const fs::path program = m_folder.path() / "python";
        std::ofstream(program) << "#!/bin/sh\nfolder=$(dirname \"$2\")\n" << script;
        ::chmod(program.c_str(), 0755);
        TorchOptions options;
        options.python = program.string();
        options.seconds_per_task = seconds;
        options.on_task = m_on_task;
        options.oracle_for = [](const Task&) -> Expected<std::unique_ptr<Oracle>> {
            return std::make_unique<ThreesOracle>();
        };
        const auto report = run_torch_baselines({m_task}, options);
        EXPECT_TRUE(report) << report.error().message();
        return report.value_or(TorchReport());
    }
    static std::string says(const std::string& line) { return "echo '" + line + "'\n"; }
    /// The outputs of the case: three floats, given as octal escapes.
    static std::string writes(const std::string& one_float, int times) {
        std::string text = "printf '";
        for (int i = 0; i < times; ++i) {
            text += one_float;
        }
        return text + "' > \"$folder/doubling_1_y.out\"\n";
    }
    const std::string m_three = "\\000\\000\\100\\100";
    const std::string m_nan = "\\000\\000\\300\\177";

    testing::TemporaryFolder m_folder;
    std::function<void(const TorchReport&, const std::string&)> m_on_task;
    TaskPtr m_task = doubling(m_folder.path() / "doubling");
};

TEST_F(TorchBaselines, TimesAndRightAnswersAreReported) {
    const TorchReport report = run_with(writes(m_three, 3) + says(k_program) + says(k_times));
    EXPECT_THAT(report.left_out, IsEmpty());
    EXPECT_EQ(report.program.torch, "9.9");
    const TorchTaskReport& task = report.tasks.at("doubling");
    EXPECT_THAT(task.left_out, IsEmpty());
    EXPECT_THAT(task.doubt, IsEmpty());
    ASSERT_EQ(task.times.rows.size(), 1u);
    EXPECT_EQ(task.times.rows[0].samples_ns, (std::vector<double>{1000, 1010, 990}));
}

TEST_F(TorchBaselines, AnswersThatAreNotTheReferencesAreDoubted) {
    const auto doubt = [&](const std::string& script) {
        return run_with(script + says(k_program) + says(k_times)).tasks.at("doubling").doubt;
    };
    EXPECT_THAT(doubt(writes("\\000\\000\\000\\100", 3)),
                HasSubstr("y[0] is 2, the reference says 3"));
    EXPECT_THAT(doubt(writes(m_nan, 3)), HasSubstr("y[0] is nan"));
    EXPECT_THAT(doubt(""), HasSubstr("no 12 bytes of y"));
    EXPECT_THAT(doubt(writes(m_three, 2)), HasSubstr("no 12 bytes of y"));
    EXPECT_THAT(doubt(writes(m_three, 4)), HasSubstr("no 12 bytes of y"));
    EXPECT_THAT(doubt("mkfifo \"$folder/doubling_1_y.out\"\n"), HasSubstr("no 12 bytes of y"));
}

TEST_F(TorchBaselines, WhatIsMissingIsSaid) {
    EXPECT_THAT(run_with(says(R"({"version":1,"torch":"","device":"",)"
                              R"("unavailable":"No module named torch"})"))
                    .left_out,
                HasSubstr("No module named torch"));
    TorchOptions options;
    options.python = "no-such-python";
    const auto none = run_torch_baselines({m_task}, options);
    ASSERT_TRUE(none);
    EXPECT_THAT(none->left_out, HasSubstr("no program 'no-such-python'"));
    fs::remove(torch_baseline_file(*m_task));
    EXPECT_THAT(run_with("exit 1\n").tasks.at("doubling").left_out,
                HasSubstr("no baselines/torch.py"));
}

// The helper waits for what is made when its first task's times are there.
TEST_F(TorchBaselines, ATasksTimesAreSaidBeforeTheHelperEnds) {
    const fs::path seen = m_folder.path() / "seen";
    m_on_task = [&](const TorchReport& report, const std::string& task) {
        EXPECT_EQ(report.tasks.at(task).times.rows.size(), 1u);
        std::ofstream(seen) << task;
    };
    const TorchReport report =
        run_with(writes(m_three, 3) + says(k_program) + says(k_times) + "until [ -e " +
                 seen.string() + " ]; do sleep 0.01; done\nexit 0\n");
    EXPECT_TRUE(fs::exists(seen));
    EXPECT_THAT(report.tasks.at("doubling").left_out, IsEmpty());
    EXPECT_THAT(report.tasks.at("doubling").doubt, IsEmpty());
}

TEST_F(TorchBaselines, WithoutAReferenceThatIsSaidAndTimesStand) {
    std::ofstream(m_folder.path() / "answer") << k_program << "\n" << k_times << "\n";
    const fs::path program = m_folder.path() / "python";
    std::ofstream(program) << "#!/bin/sh\ncat " << m_folder.path() / "answer"
                           << "\n";
    ::chmod(program.c_str(), 0755);
    TorchOptions options;
    options.python = program.string();
    options.oracle_for = [](const Task&) -> Expected<std::unique_ptr<Oracle>> {
        return failure(ErrorCode::not_found, "the task has no reference.cpp");
    };
    const auto report = run_torch_baselines({m_task}, options);
    ASSERT_TRUE(report);
    EXPECT_THAT(report->tasks.at("doubling").doubt, HasSubstr("no reference.cpp"));
    EXPECT_EQ(report->tasks.at("doubling").times.rows.size(), 1u);
}

TEST_F(TorchBaselines, AHelperThatDiesOrHangsLeavesTasksOut) {
    EXPECT_THAT(run_with("echo 'RuntimeError: boom' >&2\nexit 7\n").left_out,
                ::testing::AllOf(HasSubstr("status 7"), HasSubstr("RuntimeError: boom")));
    EXPECT_THAT(run_with(says(k_program) + "kill -SEGV $$\n").tasks.at("doubling").left_out,
                HasSubstr("killed by signal 11"));
    EXPECT_THAT(run_with(says(k_program) + "sleep 60\n", 0.2).tasks.at("doubling").left_out,
                HasSubstr("stopped after"));
    EXPECT_THAT(run_with("yes\n").left_out, HasSubstr("JSON"));
}

TEST_F(TorchBaselines, TheUsersInterruptEndsTheHelper) {
    const fs::path program = m_folder.path() / "python";
    std::ofstream(program) << "#!/bin/sh\nsleep 600\n";
    ::chmod(program.c_str(), 0755);
    std::stop_source stop;
    stop.request_stop();
    TorchOptions options;
    options.python = program.string();
    options.cancel = stop.get_token();
    const auto report = run_torch_baselines({m_task}, options);
    ASSERT_TRUE(report);
    EXPECT_THAT(report->left_out, HasSubstr("interrupted"));
}

TEST_F(TorchBaselines, TheOrderHasPublicLaunchesAndFilesOfTheRightSize) {
    std::vector<TorchCase> cases;
    const ThreesOracle oracle;
    const auto order = torch_request(*m_task, &oracle, m_folder.path(), cases);
    ASSERT_TRUE(order) << order.error().message();
    EXPECT_THAT(order->dump(), Not(HasSubstr("secret")));
    ASSERT_EQ((*order)["launches"].size(), 2u);
    EXPECT_EQ((*order)["launches"][0]["timed"], true);
    EXPECT_EQ((*order)["launches"][1]["timed"], false);
    EXPECT_EQ(fs::file_size(m_folder.path() / "doubling_0_x.in"), 20u);
    EXPECT_EQ(fs::file_size(m_folder.path() / "doubling_1_x.in"), 12u);
    ASSERT_EQ(cases.size(), 1u);
    EXPECT_EQ(cases[0].workload, "three");
}

// What is shipped, on the machine at hand: with PyTorch but no GPU it says so too.
TEST_F(TorchBaselines, TheHelperThatIsShippedSaysWhatIsMissing) {
    const auto report = run_torch_baselines({m_task}, TorchOptions());
    ASSERT_TRUE(report) << report.error().message();
    if (!report->program.torch.empty()) {
        GTEST_SKIP() << "there is PyTorch " << report->program.torch << " and a GPU";
    }
    EXPECT_THAT(report->left_out, ::testing::AnyOf(HasSubstr("torch"), HasSubstr("GPU")));
}

/// "baseline(x, rows, cols):": how the helper calls it.
std::string call_of(const Task& task) {
    std::string text = "baseline(";
    for (const TensorSpec& input : task.inputs) {
        text += input.name + ", ";
    }
    for (const Axis& axis : task.axes) {
        text += axis.kind == Axis::Kind::variable ? axis.name + ", " : "";
    }
    return text.substr(0, text.size() - 2) + "):";
}

TEST(TorchHelper, EveryShippedBaselineTakesItsTasksArguments) {
    int count = 0;
    for (const auto& entry : fs::directory_iterator(ATOLL_SOURCE_DIR "/experiments/tasks")) {
        const auto task = load_task(entry.path(), "cuda");
        if (!task || !fs::exists(torch_baseline_file(**task))) {
            continue;
        }
        std::ifstream file(torch_baseline_file(**task));
        const std::string text(std::istreambuf_iterator<char>(file), {});
        EXPECT_THAT(text, HasSubstr("def " + call_of(**task))) << (*task)->name;
        ++count;
    }
    EXPECT_GE(count, 16);
}

// Large dense inputs are a pattern that the helper repeats, a sparse matrix is whole.
TEST(TorchRequest, WritesSparseMatricesInFullAndPatternsOfTheRest) {
    const auto task = load_task(ATOLL_SOURCE_DIR "/experiments/tasks/spmv_csr", "cuda");
    ASSERT_TRUE(task) << task.error().message();
    const testing::TemporaryFolder folder;
    std::vector<TorchCase> cases;
    const auto order = torch_request(**task, nullptr, folder.path(), cases);
    ASSERT_TRUE(order) << order.error().message();
    const nlohmann::json& inputs = (*order)["launches"][0]["inputs"];
    for (std::size_t i = 0; i < 4; ++i) {
        std::uint64_t elements = inputs[i]["shape"][0].get<std::uint64_t>();
        const bool is_sparse = i < 2;
        EXPECT_EQ((*order)["inputs"][i]["fixed"], is_sparse);
        elements = is_sparse ? elements : std::min<std::uint64_t>(elements, k_torch_pattern);
        EXPECT_EQ(fs::file_size(folder.path() / inputs[i]["file"].get<std::string>()),
                  4 * elements);
    }
}

std::string in_helper(const std::string& expression) {
    return testing::run_shell("cd " ATOLL_SOURCE_DIR
                              "/tools/python && python3 -B -c 'import "
                              "torch_baselines as t; print(" +
                              expression + ")'")
        .out;
}

TEST(TorchHelper, TakesFromTheFirstStartToTheLastEndBetweenTwoWaits) {
    EXPECT_EQ(in_helper(R"(t.spans_between_waits([(0, 9, "flush"), (10, 20, "spin_kernel"), )"
                        R"((21, 25, "a"), (24, 31, "b"), (26, 27, "c"), (32, 33, "spin_kernel"), )"
                        R"((34, 35, "fill"), (40, 50, "spin_kernel"), (52, 53, "a"), )"
                        R"((60, 61, "spin_kernel")]))"),
              "[10, 1]\n");
}

TEST(TorchHelper, ALaunchWithoutItsRecordsIsNoSample) {
    EXPECT_EQ(in_helper(R"(t.spans_between_waits([(0, 1, "spin_kernel"), (2, 3, "spin_kernel")]))"),
              "[]\n");
}

}  // namespace
}  // namespace atl
