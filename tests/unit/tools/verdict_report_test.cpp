#include "tools/atoll/verdict_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string report_of(double low_ns, double high_ns, bool noisy) {
    WorkloadTiming timing;
    timing.workload = "large";
    timing.samples_ns = {1000};
    timing.median_ns = 1000;
    timing.low_ns = low_ns;
    timing.high_ns = high_ns;
    timing.noisy = noisy;
    Verdict verdict;
    verdict.outcome = Outcome::passed;
    verdict.stage = Stage::measure;
    verdict.measure = MeasureReport{"cpu-cold-v5", {timing}, {}};
    return report_text({"a.cpp", verdict}, Task(), {});
}

// A narrow interval may come from launches that were all disturbed alike.
TEST(VerdictReport, ANoisyTimeSaysSoHoweverNarrowItsIntervalIs) {
    EXPECT_THAT(report_of(999, 1001, true), HasSubstr("+-0.1 % noisy"));
    EXPECT_THAT(report_of(900, 1100, true), HasSubstr("+-10 % noisy"));
    EXPECT_THAT(report_of(1000, 1000, true), HasSubstr("noisy"));
    EXPECT_THAT(report_of(999, 1001, false), Not(HasSubstr("noisy")));
}

Verdict profiled_verdict() {
    Verdict verdict;
    verdict.outcome = Outcome::passed;
    ProfileReport& profile = verdict.profile.emplace();
    profile.source = "cupti";
    profile.workload = "large";
    profile.sentence = "dram_bandwidth: memory is busy";
    profile.occupancy = 1;
    profile.occupancy_achieved = 0.75;
    profile.metrics = {{"dram__bytes_read.sum", 1.5e9}};
    KernelFootprint kernel;
    kernel.kernel = "_Z4copy\x1b[31m";
    kernel.launches = 2;
    kernel.blocks = 132;
    kernel.threads_per_block = 256;
    kernel.registers = 40;
    kernel.static_shared_bytes = 100;
    kernel.dynamic_shared_bytes = 28;
    kernel.spill_bytes = 8;
    kernel.occupancy = 0.5;
    kernel.limiter = "registers";
    profile.kernels = {kernel};
    return verdict;
}

TEST(VerdictReport, AProfileIsToldWithWhatItsKernelsTake) {
    Verdict verdict = profiled_verdict();
    const std::string text = report_text({"a.cu", verdict}, Task(), {});
    EXPECT_THAT(text, HasSubstr("bottleneck on large: dram_bandwidth: memory is busy\n"));
    EXPECT_THAT(text, HasSubstr("occupancy achieved 75 % of 100 %"));
    EXPECT_THAT(text, HasSubstr("2 x 132 blocks of 256, 40 registers, 128 bytes shared, 8 spilled, "
                                "occupancy 50 % by registers"));
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    verdict.profile->kernels.resize(20, verdict.profile->kernels[0]);
    EXPECT_THAT(report_text({"a.cu", verdict}, Task(), {}), HasSubstr("    ...\n"));
    verdict.profile.reset();
    EXPECT_THAT(report_text({"a.cu", verdict}, Task(), {}), Not(HasSubstr("bottleneck")));
}

TEST(VerdictReport, CountersAreListedOrMissed) {
    Verdict verdict = profiled_verdict();
    EXPECT_THAT(metrics_text(verdict), HasSubstr("dram__bytes_read.sum = 1.5e+09\n"));
    verdict.profile->metrics.clear();
    verdict.profile->why_static = "not allowed";
    EXPECT_EQ(metrics_text(verdict), "  no counters: not allowed\n");
    verdict.profile.reset();
    EXPECT_EQ(metrics_text(verdict), "");
}

}  // namespace
}  // namespace atl
