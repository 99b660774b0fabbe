// A whole GPU lane (verifier, runner, spare) on the simulated device: real processes, real memory
// between them, our own kernels compiled for this machine, and candidates that are right, wrong, or
// take their process down.

#include "reward/gpu_lane.hpp"

#include "reward/gpu/gpu_package.hpp"
#include "reward/gpu/gpu_protocol.hpp"
#include "reward/worker_calls.hpp"
#include "tests/unit/cuda/plan_fixture.hpp"
#include "tests/unit/cuda/simulated_support_kernels.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace atl {
namespace {

using testing::Buffer;
using ::testing::HasSubstr;
using testing::in;
using testing::pointer;
using testing::value;

/// A kernel `run` of the small task: `body` sees x, bias, alpha, y, rows, cols and `calls`, a
/// device global.
std::string kernel(const std::string& body, const std::string& real) {
    return "extern \"C\" { extern const unsigned run_sizes[]; const unsigned run_sizes[] = {8, 8, "
           "4, "
           "8, 4, 4, 0}; int calls = 0; }\n"
           "SIMULATED_KERNEL(run) {\n"
           "    float* x = at<float*>(parameters, 0);\n"
           "    const float* bias = at<const float*>(parameters, 1);\n"
           "    const float alpha = at<float>(parameters, 2);\n    " +
           real + "* y = at<" + real +
           "*>(parameters, 3);\n"
           "    const long rows = at<int>(parameters, 4), cols = at<int>(parameters, 5);\n"
           "    ++calls;\n" +
           body + "\n    return 0;\n}\n";
}

constexpr const char* k_right = R"(
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (long j = 0; j < cols; ++j) sum += x[i * cols + j];
        for (long j = 0; j < cols; ++j)
            y[i * cols + j] = double(alpha) * x[i * cols + j] + bias[j] + sum / cols;
    }
)";

std::shared_ptr<const FileHandle> shared(FileHandle file) {
    return std::make_shared<const FileHandle>(std::move(file));
}

class GpuLaneTest : public ::testing::Test {
  protected:
    GpuLaneTest() {
        m_small.write("reference.cu", "void reference() {}\n");
        m_small.write("starters/plain.cu", "void launch() {}\n");
        m_task = value_or_throw(load_task(m_small.folder(), "cuda"));
        static const std::string support = testing::simulated_support_cubin();
        GpuLaneOptions options;
        options.driver = ATOLL_SIMULATED_DRIVER;
        options.limits.name = "Simulated";
        options.worker_program = ATOLL_BIN_DIR "/atoll-worker";
        options.support = shared(value_or_throw(memory_file_of(support)));
        m_lane = make_gpu_lane(options);
        const Status started = m_lane->restart();
        EXPECT_TRUE(started) << (started ? "" : started.error().message());
    }
    ~GpuLaneTest() override { m_lane->stop(); }

    /// What the supervisor would make of a source: one launch a workload.
    FileHandle package(const std::string& body, bool reference = false) {
        GpuPackage made;
        made.cubin = testing::simulated_cubin(kernel(body, reference ? "double" : "float"));
        for (std::size_t w = 0; w < m_task->workloads.size(); ++w) {
            const Workload& workload = m_task->workloads[w];
            const auto rows = static_cast<std::int32_t>(workload.axes.at("rows"));
            const auto cols = static_cast<std::int32_t>(workload.axes.at("cols"));
            const auto count = static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(cols);
            Plan plan;
            plan.inputs = {4 * count, 4 * static_cast<std::uint64_t>(cols)};
            plan.outputs = {(reference ? 8 : 4) * count};
            PlanLaunch launch;
            launch.kernel = "run";
            launch.arguments = {pointer(in(Buffer::input, 0)),
                                pointer(in(Buffer::input, 1)),
                                value(1.5F),
                                pointer(in(Buffer::output, 0)),
                                value(rows),
                                value(cols)};
            plan.steps.push_back({7, launch});
            made.plans.emplace_back(w, plan);
        }
        return value_or_throw(write_gpu_package(made));
    }

    DeviceOrder order_of(const std::string& body, Level level) {
        if (!m_oracle) {
            m_oracle = shared(package(k_right, true));
        }
        DeviceOrder order;
        order.task = m_task;
        order.oracle = m_oracle;
        order.binaries = {shared(package(body))};
        order.evaluate.task = m_task->digest;
        order.evaluate.level = level;
        order.evaluate.launch_timeout_s = 0.5;
        order.evaluate.measure_seconds = 0.02;
        return order;
    }

    EvaluateReply judge(const std::string& body, Level level = Level::verify) {
        return value_or_throw(m_lane->evaluate(order_of(body, level)));
    }

    testing::SmallTask m_small;
    TaskPtr m_task;
    std::shared_ptr<const FileHandle> m_oracle;
    std::unique_ptr<DeviceLane> m_lane;
};

TEST_F(GpuLaneTest, ARightCandidateIsVerifiedAndTimed) {
    const EvaluateReply reply = judge(k_right, Level::measure);
    EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    ASSERT_TRUE(reply.measure);
    EXPECT_EQ(reply.measure->protocol, k_cuda_protocol);
    ASSERT_EQ(reply.measure->workloads.size(), 1u);
    const WorkloadTiming& timing = reply.measure->workloads.front();
    EXPECT_EQ(timing.workload, "large");
    EXPECT_GT(timing.median_ns, 0);
    EXPECT_GE(timing.samples_ns.size(), 6u);
    EXPECT_GE(timing.reverified, 2);
    // Three verify workloads, two distributions, each small one at both ends; the timed one.
    EXPECT_GE(reply.verify.size(), 8u);
    EXPECT_THAT(reply.noise, HasSubstr("events"));
}

TEST_F(GpuLaneTest, WrongAnswersAreSeen) {
    const EvaluateReply off_by_one =
        judge(std::string(k_right) + "y[rows * cols - 1] += 1;", Level::measure);
    EXPECT_EQ(off_by_one.outcome, Outcome::wrong_result);
    EXPECT_THAT(off_by_one.reason, HasSubstr("instead of"));
    EXPECT_FALSE(off_by_one.measure);
    const EvaluateReply nothing = judge("");
    EXPECT_EQ(nothing.outcome, Outcome::wrong_result);
    EXPECT_THAT(nothing.reason, HasSubstr("was never written"));
    EXPECT_EQ(judge(std::string(k_right) + "y[0] = 0.0f / (rows - rows);").outcome,
              Outcome::non_finite);
    // Right again: nothing of the former is left.
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
}

TEST_F(GpuLaneTest, InputsAndWhatLiesBesideThemStayAsTheyAre) {
    const EvaluateReply changed = judge(std::string(k_right) + "x[0] += 1;");
    EXPECT_EQ(changed.outcome, Outcome::inputs_modified) << changed.reason;
    const EvaluateReply outside =
        judge(std::string(k_right) + "if (rows == 3) y[rows * cols] = 1;");
    EXPECT_EQ(outside.outcome, Outcome::memory_fault) << outside.reason;
}

TEST_F(GpuLaneTest, DeviceGlobalsCarryNothingFromOneLaunchToTheNext) {
    const EvaluateReply reply =
        judge(std::string(k_right) + "if (calls > 1) y[0] = 1e9f;", Level::verify);
    EXPECT_EQ(reply.outcome, Outcome::passed) << "each launch is the first: " << reply.reason;
}

TEST_F(GpuLaneTest, BeingRightAtFirstOnlyIsSeenWhenTimed) {
    // Timed launches share one load of the code: the last one of a call is judged.
    const EvaluateReply reply =
        judge(std::string(k_right) + "if (calls > 2) y[0] = 1e9f;", Level::measure);
    EXPECT_NE(reply.outcome, Outcome::passed);
}

TEST_F(GpuLaneTest, AFaultEndsTheRunnerAndTheSpareGoesOn) {
    const std::string fault = "*reinterpret_cast<volatile char*>(16) = 1;";
    for (int round = 0; round < 3; ++round) {
        const EvaluateReply reply = judge(fault);
        EXPECT_EQ(reply.outcome, Outcome::memory_fault) << reply.reason;
        EXPECT_FALSE(m_lane->broken());
        EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
    }
}

TEST_F(GpuLaneTest, AHangIsATimeoutAndTheSpareGoesOn) {
    const EvaluateReply reply = judge("for (volatile bool on = true; on;) {}");
    EXPECT_EQ(reply.outcome, Outcome::timeout) << reply.reason;
    EXPECT_FALSE(m_lane->broken());
    EXPECT_EQ(judge(k_right, Level::measure).outcome, Outcome::passed);
}

TEST_F(GpuLaneTest, ALostDeviceIsAFaultOfOursAndTheLaneStartsAnew) {
    EXPECT_FALSE(m_lane->evaluate(order_of("return 999;", Level::verify)));
    EXPECT_TRUE(m_lane->broken());
    const Status restarted = m_lane->restart();
    ASSERT_TRUE(restarted) << restarted.error().message();
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
}

TEST_F(GpuLaneTest, AConfirmationMeetsHiddenWorkloadsAndRivals) {
    DeviceOrder order = order_of(k_right, Level::confirm);
    order.evaluate.rivals = {"itself", "wrong"};
    order.evaluate.rival_trusted = {false, false};
    order.binaries.push_back(shared(package(k_right)));
    order.binaries.push_back(shared(package("*reinterpret_cast<volatile char*>(16) = 1;")));
    const EvaluateReply reply = value_or_throw(m_lane->evaluate(order));
    EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    EXPECT_THAT(reply.noise, HasSubstr("rival 'wrong' is left out"));
    ASSERT_TRUE(reply.measure);
    EXPECT_EQ(reply.measure->workloads.size(), 2u);
    EXPECT_TRUE(reply.measure->rivals.contains("itself"));
    EXPECT_FALSE(reply.measure->rivals.contains("wrong"));
    // And what is wrong on hidden workloads only is told without their names.
    const EvaluateReply hidden = value_or_throw(m_lane->evaluate(
        order_of(std::string(k_right) + "if (rows == 48) y[0] += 1;", Level::confirm)));
    EXPECT_EQ(hidden.outcome, Outcome::wrong_result);
    EXPECT_EQ(hidden.reason.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace atl
