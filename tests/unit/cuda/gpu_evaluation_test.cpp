// Evaluations in this process, in the verifier's place, with real runner processes on the simulated
// device.

#include "reward/gpu/gpu_evaluation.hpp"

#include "reward/gpu/gpu_verify.hpp"
#include "reward/worker_calls.hpp"
#include "reward/worker_process.hpp"
#include "tests/unit/cuda/judged_task.hpp"
#include "tests/unit/cuda/simulated_support_kernels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>

namespace atl {
namespace {

using ::testing::HasSubstr;
using testing::k_right;

constexpr std::chrono::milliseconds k_patience{20'000};

/// A new process for each runner that is lost.
class Runners final : public RunnerSource {
  public:
    explicit Runners(const std::string& support) : m_support(support) {}

    Expected<RunnerClient*> runner(GpuTask& task, bool& fresh) override {
        fresh = !m_client || !m_client->usable();
        if (fresh) {
            ATOLL_TRY(start());
            ATOLL_TRY(m_client->share(task.shared()));
        }
        return &*m_client;
    }
    Status wait_until_quiet() override {
        ++m_asked;
        return {};
    }
    [[nodiscard]] int started() const { return m_started; }
    [[nodiscard]] int asked() const { return m_asked; }

  private:
    Status start() {
        ++m_started;
        ATOLL_TRY_ASSIGN(auto ends, make_socket_pair());
        WorkerOptions options;
        options.program = ATOLL_BIN_DIR "/atoll-worker";
        options.driver = ATOLL_SIMULATED_DRIVER;
        ATOLL_TRY_ASSIGN(
            WorkerProcess process,
            WorkerProcess::start(WorkerRole::gpu_runner, options, 7, std::move(ends.second)));
        m_process.emplace(std::move(process));
        Frame frame;
        frame.type = FrameType::gpu_start;
        ATOLL_TRY_ASSIGN(FileHandle support, memory_file_of(m_support));
        frame.handles.push_back(std::move(support));
        ATOLL_TRY(m_process->channel().send(frame));
        ATOLL_TRY(m_process->channel().receive(k_patience));
        m_client.emplace(FrameChannel(std::move(ends.first)));
        return {};
    }

    std::string m_support;
    std::optional<WorkerProcess> m_process;
    std::optional<RunnerClient> m_client;
    int m_started = 0;
    int m_asked = 0;
};

class GpuEvaluationTest : public ::testing::Test {
  protected:
    LoadedGpuTask load(bool with_hidden) {
        return value_or_throw(LoadedGpuTask::create(m_judged.task(), with_hidden,
                                                    m_judged.reference(),
                                                    {m_gpu, m_kernels, m_stream.handle()}));
    }

    testing::JudgedTask m_judged;
    const std::string m_support = testing::simulated_support_cubin();
    Gpu m_gpu = value_or_throw(Gpu::open(testing::simulated_driver(), 0));
    GpuStream m_stream = value_or_throw(GpuStream::create(m_gpu));
    SupportKernels m_kernels = value_or_throw(SupportKernels::load(m_gpu, m_support));
    Runners m_runners{m_support};
    BestAnchors m_anchors;
};

TEST_F(GpuEvaluationTest, AfterARivalsFaultTimesAreTakenOnAQuietDeviceAgain) {
    LoadedGpuTask loaded = load(true);
    EvaluateOrder order;
    order.level = Level::confirm;
    order.launch_timeout_s = 0.5;
    order.measure_seconds = 0.02;
    order.rivals = {"faulty"};
    order.rival_trusted = {false};
    std::vector<FileHandle> packages;
    packages.push_back(m_judged.package(k_right));
    packages.push_back(m_judged.package(
        std::string(k_right) + "if (calls > 1) *reinterpret_cast<volatile char*>(16) = 1;"));
    const EvaluateReply reply =
        value_or_throw(evaluate_on_gpu(loaded, order, packages, m_runners, m_anchors));
    EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    EXPECT_THAT(reply.noise, HasSubstr("rival 'faulty' is left out"));
    EXPECT_EQ(m_runners.started(), 2);
    EXPECT_EQ(m_runners.asked(), 2);
}

/// Sums of the columns in each row, twice as a reference. What knows its structure from another
/// launch of the same load is wrong.
FileHandle sparse_package(bool reference) {
    const std::string real = reference ? "double" : "float";
    GpuPackage made;
    made.cubin = testing::simulated_cubin(
        "extern \"C\" { extern const unsigned run_sizes[]; const unsigned run_sizes[] = {8, 8, 8, "
        "4, 0};"
        "unsigned long met[64]; int count = 0; }\n"
        "SIMULATED_KERNEL(run) {\n"
        "    const int* columns = at<const int*>(parameters, 0);\n"
        "    const long* offsets = at<const long*>(parameters, 1);\n    " +
        real + "* y = at<" + real +
        "*>(parameters, 2);\n"
        "    const int rows = at<int>(parameters, 3);\n"
        "    unsigned long key = 14695981039346656037ul;\n"
        "    for (long i = 0; i < offsets[rows]; ++i) key = (key ^ columns[i]) * 1099511628211ul;\n"
        "    bool known = false;\n"
        "    for (int i = 0; i < count && i < 64; ++i) known = known || met[i] == key;\n"
        "    met[count++ % 64] = key;\n"
        "    for (int row = 0; row < rows; ++row) {\n"
        "        double sum = 0;\n"
        "        for (long i = offsets[row]; i < offsets[row + 1]; ++i) sum += columns[i];\n"
        "        y[row] = sum;\n"
        "    }\n" +
        (reference ? "" : "    if (known) y[0] = -1;\n") + "    return 0;\n}\n");
    Plan plan;
    plan.inputs = {4 * 120, 8 * 41};
    plan.outputs = {(reference ? 8u : 4u) * 40};
    PlanLaunch launch;
    launch.kernel = "run";
    launch.arguments = {testing::pointer(testing::in(testing::Buffer::input, 0)),
                        testing::pointer(testing::in(testing::Buffer::input, 1)),
                        testing::pointer(testing::in(testing::Buffer::output, 0)),
                        testing::value(std::int32_t{40})};
    plan.steps.push_back({7, launch});
    made.plans.emplace_back(0, plan);
    return value_or_throw(write_gpu_package(made));
}

TEST_F(GpuEvaluationTest, NoTwoLaunchesOfOneLoadHaveTheSameSparseStructure) {
    testing::SmallTask sparse;
    sparse.write("definition.json", R"({
        "name": "sparse",
        "axes": {"rows": {"type": "var"}, "cols": {"type": "var"}},
        "inputs": {
            "columns": {"shape": ["3*rows"], "dtype": "int32"},
            "offsets": {"shape": ["rows + 1"], "dtype": "int64"}
        },
        "outputs": {"y": {"shape": ["rows"], "dtype": "float32"}},
        "atoll": {"distributions": {"graph": {
            "columns": {"kind": "csr_columns", "offsets": "offsets", "columns": "cols"},
            "offsets": {"kind": "csr_offsets", "entries": "3*rows", "columns": "cols"}}},
            "tolerance": {"rtol": 1e-5, "atol": 1e-5}}
    })");
    sparse.write("workload.jsonl",
                 R"({"workload": {"uuid": "a", "axes": {"rows": 40, "cols": 17}, )"
                 R"("inputs": {}}, "atoll": {"use": "measure"}})");
    sparse.write("reference.cu", "void reference() {}\n");
    sparse.write("starters/plain.cu", "void launch() {}\n");
    LoadedGpuTask loaded = value_or_throw(
        LoadedGpuTask::create(value_or_throw(load_task(sparse.folder(), "cuda")), false,
                              sparse_package(true), {m_gpu, m_kernels, m_stream.handle()}));
    EvaluateOrder order;
    order.level = Level::measure;
    order.launch_timeout_s = 5;
    order.measure_seconds = 0.02;
    std::vector<FileHandle> packages;
    packages.push_back(sparse_package(false));
    for (int round = 0; round < 3; ++round) {
        const EvaluateReply reply =
            value_or_throw(evaluate_on_gpu(loaded, order, packages, m_runners, m_anchors));
        EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    }
}

TEST_F(GpuEvaluationTest, WhoIsAskedAgainWhenNothingIsLeftOfTheTimeMayNotHang) {
    // Two launches take more than all of them may. The first is wrong, and leaves a mark by which
    // it hangs when it is asked again.
    const FileHandle package = m_judged.package(
        "if (memcmp(page_of(y) + (1 << 20), \"asked\", 5) == 0)"
        "    for (volatile bool on = true; on;) {}"
        "memcpy(page_of(y) + (1 << 20), \"asked\", 5); usleep(600000);");
    LoadedGpuTask loaded = load(false);
    bool fresh = false;
    RunnerClient* const runner = value_or_throw(m_runners.runner(*loaded.task, fresh));
    value_or_throw(runner->load(0, package));
    GpuCaseVerifier verifier(*loaded.task, loaded.pool, *runner, 0, 30, 1.0);
    const std::vector<GpuWish> wishes(2, {0, 0, Placement::end, nullptr});
    const auto since = std::chrono::steady_clock::now();
    const GpuVerifyReport report = value_or_throw(verifier.run(wishes));
    ASSERT_TRUE(report.fault);
    EXPECT_EQ(report.fault->outcome, Outcome::wrong_result) << report.fault->reason;
    EXPECT_FALSE(runner->usable()) << "it hung, and that was seen";
    EXPECT_LT(std::chrono::steady_clock::now() - since, std::chrono::seconds(15));
}

}  // namespace
}  // namespace atl
