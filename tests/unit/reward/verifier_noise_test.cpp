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

TEST(Noise, WhatStaysNoisyIsMeasuredLongerAndSaidToBe) {
    TestVerifier verifier;
    EvaluateOrder order = patient_order(verifier);
    order.confidence = 1e-6;  // no two launches agree that well
    const EvaluateReply reply =
        verifier.evaluate({spinning_kernel("calls % 2 == 0 ? 1 : 6")}, order);
    ASSERT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    ASSERT_TRUE(reply.measure);
    const WorkloadTiming& timing = reply.measure->workloads.front();
    EXPECT_TRUE(timing.noisy);
    EXPECT_THAT(reply.noise, HasSubstr("large"));
    // On a quiet machine 20 launches end it before measure_seconds are over.
    EXPECT_TRUE(timing.samples_ns.size() >= 20 ||
                1e-9 * sum(timing.samples_ns) >= order.measure_seconds)
        << timing.samples_ns.size();
    EXPECT_LE(timing.samples_ns.size(), 31u);  // 20 and half as many, and a judged one at the end
    EXPECT_GE(timing.reverified, 1);
}

}  // namespace
}  // namespace atl
