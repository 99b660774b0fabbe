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
