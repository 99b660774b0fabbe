// How a whole GPU lane measures by other protocols than the default one, and what its verdicts tell
// besides times, on the simulated device.

#include "reward/gpu/protocols.hpp"
#include "reward/gpu_lane.hpp"
#include "reward/worker_calls.hpp"
#include "tests/unit/cuda/judged_task.hpp"
#include "tests/unit/cuda/simulated_support_kernels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <string>

namespace atl {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::k_right;
using ::testing::SizeIs;

std::shared_ptr<const FileHandle> shared(FileHandle file) {
    return std::make_shared<const FileHandle>(std::move(file));
}

class GpuLaneProtocolsTest : public ::testing::Test {
  protected:
    EvaluateReply measure(const std::string& protocol, const std::string& body = k_right,
                          const std::string& cupti = "", Level level = Level::measure) {
        return value_or_throw(try_to_measure(protocol, body, cupti, level));
    }
    Expected<EvaluateReply> try_to_measure(const std::string& protocol, const std::string& body,
                                           const std::string& cupti, Level level) {
        static const std::string support = testing::simulated_support_cubin();
        GpuLaneOptions options;
        options.driver = ATOLL_SIMULATED_DRIVER;
        options.cupti = cupti;
        options.limits.name = "Simulated";
        options.worker_program = ATOLL_BIN_DIR "/atoll-worker";
        options.support = shared(value_or_throw(memory_file_of(support)));
        const std::unique_ptr<DeviceLane> lane = make_gpu_lane(options);
        value_or_throw(lane->restart());
        DeviceOrder order;
        order.task = m_judged.task();
        order.oracle = shared(m_judged.reference());
        order.binaries = {shared(m_judged.package(body))};
        order.evaluate.task = m_judged.task()->digest;
        order.evaluate.level = level;
        order.evaluate.launch_timeout_s = 5;
        order.evaluate.measure_seconds = 0.02;
        order.evaluate.protocol = protocol;
        order.evaluate.cache_bytes = 1;
        Expected<EvaluateReply> reply = lane->evaluate(order);
        lane->stop();
        return reply;
    }

    testing::JudgedTask m_judged;
};

TEST_F(GpuLaneProtocolsTest, PublishedOnesTakeTheirNumberOfTrials) {
    const EvaluateReply reply = measure("kernelbench");
    ASSERT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    ASSERT_TRUE(reply.measure);
    EXPECT_EQ(reply.measure->protocol, "kernelbench");
    const WorkloadTiming& timing = reply.measure->workloads.at(0);
    EXPECT_THAT(timing.samples_ns, SizeIs(100));
    const double mean =
        std::accumulate(timing.samples_ns.begin(), timing.samples_ns.end(), 0.0) / 100;
    EXPECT_NEAR(timing.median_ns, mean, 1e-6 * mean) << "its statistic is the mean";
    EXPECT_LE(timing.low_ns, timing.median_ns);
    EXPECT_GE(timing.high_ns, timing.median_ns);
    EXPECT_EQ(timing.reverified, 1);
    ASSERT_TRUE(timing.gpu);
    EXPECT_EQ(timing.gpu->clock, "events");
}

TEST_F(GpuLaneProtocolsTest, TheLastLaunchOfAPublishedOneIsJudged) {
    const EvaluateReply reply =
        measure("kernelgym", std::string(k_right) + "if (calls > 90) y[0] += 1;");
    EXPECT_EQ(reply.outcome, Outcome::inconsistent) << reply.reason;
}

TEST_F(GpuLaneProtocolsTest, AnAnswerThatIsThereAlreadyHelpsInNoneOfThem) {
    const std::string elements = "for (long i = 0; i < rows * cols; ++i) ";
    for (const char* protocol : {"kernelbench", "kernelgym", "sol-execbench"}) {
        // It would fault where it finds its own answer.
        const EvaluateReply overwritten =
            measure(protocol, "if (y[0] == y[0]) return 700;" + std::string(k_right));
        EXPECT_EQ(overwritten.outcome, Outcome::passed) << protocol << overwritten.reason;
        const EvaluateReply kept = measure(
            protocol, "static float kept[1 << 20]; if (calls > 1) { " + elements +
                          "y[i] = kept[i]; return 0; }" + k_right + elements + "kept[i] = y[i];");
        EXPECT_NE(kept.outcome, Outcome::passed) << protocol;
    }
}

TEST_F(GpuLaneProtocolsTest, AWarmCacheIsAProtocolOfItsOwn) {
    const EvaluateReply reply = measure("cuda-warm-v2");
    ASSERT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    EXPECT_EQ(reply.measure->protocol, "cuda-warm-v2");
    EXPECT_GE(reply.measure->workloads.at(0).reverified, 2);
}

TEST_F(GpuLaneProtocolsTest, AConfirmationTakesTheDefaultOne) {
    const EvaluateReply reply = measure("kernelbench", k_right, "", Level::confirm);
    ASSERT_TRUE(reply.measure) << reply.reason;
    EXPECT_EQ(reply.measure->protocol, k_cuda_protocol);
}

TEST_F(GpuLaneProtocolsTest, AnUnknownOneIsRefused) {
    const auto reply = try_to_measure("fastest", k_right, "", Level::measure);
    ASSERT_FALSE(reply);
    EXPECT_THAT(reply.error().message(), HasSubstr("fastest"));
}

TEST_F(GpuLaneProtocolsTest, KernelsHaveTheirSharesAndCopiesTheirBandwidth) {
    // The simulated device's clocks go on while something else has its processor, so that they may
    // seem to disagree, which a device's do not.
    EvaluateReply reply = measure("", k_right, ATOLL_SIMULATED_CUPTI);
    for (int i = 0; i < 3 && reply.outcome == Outcome::reward_hack; ++i) {
        reply = measure("", k_right, ATOLL_SIMULATED_CUPTI);
    }
    ASSERT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    EXPECT_EQ(reply.trust, "") << "the runner is in its jail";
    const WorkloadTiming& timing = reply.measure->workloads.at(0);
    ASSERT_TRUE(timing.gpu);
    EXPECT_EQ(timing.gpu->clock, "cupti");
    ASSERT_THAT(timing.gpu->kernels, SizeIs(1));
    EXPECT_EQ(timing.gpu->kernels[0].name, "run");
    EXPECT_EQ(timing.gpu->kernels[0].launches, 1);
    EXPECT_DOUBLE_EQ(timing.gpu->kernels[0].share, 1);
    EXPECT_EQ(timing.gpu->anchors_ns.size(), timing.samples_ns.size());
    EXPECT_THAT(timing.gpu->clocks_mhz, IsEmpty()) << "there is no NVML here";
    EXPECT_GT(timing.gpu->measured_light_ns, 0);
}

}  // namespace
}  // namespace atl
