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

}  // namespace
}  // namespace atl
