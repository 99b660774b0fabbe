#include "search/confirm.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

WorkloadTiming timing(double median_ns, double half_width) {
    WorkloadTiming t;
    t.workload = "w";
    t.median_ns = median_ns;
    t.low_ns = median_ns * (1 - half_width);
    t.high_ns = median_ns * (1 + half_width);
    return t;
}

/// A confirmation of a candidate that took `own_ns` beside a previous best of 100 ns.
Confirmed judged(double own_ns, double half_width) {
    Verdict verdict;
    verdict.outcome = Outcome::passed;
    verdict.measure.emplace();
    verdict.measure->workloads = {timing(own_ns, half_width)};
    verdict.measure->rivals[k_rival_starter] = {timing(200, half_width)};
    verdict.measure->rivals[k_rival_previous] = {timing(100, half_width)};
    ConfirmPlan plan;
    plan.individual = IndividualId::make(7, 1);
    plan.previous = IndividualId::make(3, 0);
    const auto confirmed = judge_confirm(plan, verdict, "speedup");
    EXPECT_TRUE(confirmed);
    return confirmed.value_or(Confirmed{});
}

TEST(JudgeConfirm, AcceptsWhatIsNotSlowerThanThePreviousBestBeyondTheNoise) {
    EXPECT_TRUE(judged(90, 0.002).accepted);
    EXPECT_TRUE(judged(100.5, 0.002).accepted);
    EXPECT_FALSE(judged(103, 0.002).accepted);
    EXPECT_TRUE(judged(103, 0.02).accepted);
    EXPECT_DOUBLE_EQ(judged(90, 0.002).fitness, 200.0 / 90);
}

TEST(JudgeConfirm, NoNoiseExcusesAKernelThatIsClearlySlower) {
    EXPECT_FALSE(judged(126, 0.5).accepted);
    EXPECT_FALSE(judged(107, 0.5).accepted);
}

}  // namespace
}  // namespace atl
