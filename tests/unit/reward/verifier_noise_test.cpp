#include "tests/unit/reward/verifier_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>

namespace atl {
namespace {

using ::testing::HasSubstr;
using testing::small_kernel;
using testing::TestVerifier;

/// A kernel that spins, for `milliseconds` (an expression that may use `calls`, counted from 1).
std::string spinning_kernel(const std::string& milliseconds) {
    return "#include <chrono>\nstatic int calls = 0;\n" +
           small_kernel("",
                        "++calls; const auto until = std::chrono::steady_clock::now() + "
                        "std::chrono::milliseconds(" +
                            milliseconds +
                            "); while (std::chrono::steady_clock::now() < until) {}");
}

EvaluateOrder patient_order(const TestVerifier& verifier) {
    EvaluateOrder order = verifier.order(Level::measure);
    order.measure_seconds = 0.1;
    order.confidence = 0.02;
    return order;
}

double sum(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}

TEST(Noise, WhatStaysNoisyIsMeasuredTwiceAndSaidToBe) {
    TestVerifier verifier;
    const EvaluateReply reply =
        verifier.evaluate({spinning_kernel("calls % 2 == 0 ? 1 : 6")}, patient_order(verifier));
    ASSERT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    ASSERT_TRUE(reply.measure);
    const WorkloadTiming& timing = reply.measure->workloads.front();
    EXPECT_TRUE(timing.noisy);
    EXPECT_THAT(reply.noise, HasSubstr("interval of large"));
    // The samples that were thrown away were timed as well.
    EXPECT_GT(reply.timed_seconds, 1.5e-9 * sum(timing.samples_ns));
}

TEST(Noise, WhatIsMeasuredAgainIsJudgedAsOftenAgain) {
    TestVerifier verifier;
    // Of each round one launch is judged at random, in some 9 of 10 rounds, and the last always.
    int most = 0;
    for (int i = 0; i < 5 && most < 3; ++i) {
        const EvaluateReply reply =
            verifier.evaluate({spinning_kernel("calls % 2 == 0 ? 1 : 6")}, patient_order(verifier));
        ASSERT_TRUE(reply.measure) << reply.reason;
        most = std::max(most, reply.measure->workloads.front().reverified);
    }
    EXPECT_GE(most, 3) << "the judged launches of the first round stood for those of the second";
}

}  // namespace
}  // namespace atl
