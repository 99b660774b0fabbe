#include "reward/kinds/device_reply.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

VerifyCase bad_case(bool hidden) {
    VerifyCase report;
    report.workload = "m=37,n=41";
    report.hidden = hidden;
    report.passed = false;
    return report;
}

TEST(DeviceReply, HiddenFailuresAreToldWithoutTheirShape) {
    for (int i = 1; i < k_outcome_count; ++i) {
        EvaluateReply reply;
        reply.outcome = static_cast<Outcome>(i);
        reply.stage = Stage::confirm;
        if (is_correct(reply.outcome)) {
            continue;
        }
        reply.reason = "workload m=37,n=41: got 3, want 4";
        reply.verify = {bad_case(true)};
        Verdict verdict;
        add_device_reply(reply, verdict);
        EXPECT_THAT(verdict.reason, HasSubstr("hidden workload"));
        EXPECT_THAT(verdict.reason, Not(HasSubstr("37")));
    }
}

TEST(DeviceReply, PublicFailuresKeepTheVerifiersSentence) {
    EvaluateReply reply;
    reply.outcome = Outcome::wrong_result;
    reply.stage = Stage::verify;
    reply.reason = "workload m=37: got 3, want 4";
    reply.verify = {bad_case(false)};
    Verdict verdict;
    verdict.stage_times = {{Stage::compile, 1}};
    verdict.noise = "rival left out";
    reply.noise = "clock drifted";
    reply.timed_seconds = 0.25;
    reply.memory_bytes = 4096;
    reply.stage_times = {{Stage::verify, 2}};
    add_device_reply(reply, verdict);
    EXPECT_EQ(verdict.reason, "workload m=37: got 3, want 4");
    EXPECT_EQ(verdict.outcome, Outcome::wrong_result);
    EXPECT_EQ(verdict.stage, Stage::verify);
    EXPECT_EQ(verdict.stage_times.size(), 2u);
    EXPECT_EQ(verdict.noise, "rival left out; clock drifted");
    EXPECT_EQ(verdict.timed_seconds, 0.25);
    EXPECT_EQ(verdict.memory_bytes, 4096u);
}

TEST(DeviceReply, AProfileIsCompletedForRightCandidatesOnly) {
    EvaluateReply reply;
    WorkloadTiming timing;
    timing.workload = "large";
    timing.median_ns = 100'000;
    reply.measure = MeasureReport{"cuda", {timing}, {}};
    Verdict prepared;
    prepared.profile.emplace().workload = "large";
    prepared.profile->memory_ns = 90'000;
    Verdict verdict = prepared;
    add_device_reply(reply, verdict);
    ASSERT_TRUE(verdict.profile);
    EXPECT_EQ(verdict.profile->bottleneck, Bottleneck::dram_bandwidth);
    EXPECT_EQ(verdict.profile->why_static, "") << "counters were not asked for";
    reply.counters.emplace().why_none = "not allowed";
    verdict = prepared;
    add_device_reply(reply, verdict);
    EXPECT_EQ(verdict.profile->why_static, "not allowed");
    reply.counters->kernels = {{"k", 1, 32, {{"gpu__time_duration.sum", 1000}}}};
    verdict = prepared;
    add_device_reply(reply, verdict);
    EXPECT_EQ(verdict.profile->source, "cupti");
    reply.outcome = Outcome::inconsistent;
    verdict = prepared;
    add_device_reply(reply, verdict);
    EXPECT_FALSE(verdict.profile);
}

TEST(DeviceReply, AlwaysGivesAReason) {
    for (int i = 0; i < k_outcome_count; ++i) {
        EvaluateReply reply;
        reply.outcome = static_cast<Outcome>(i);
        Verdict verdict;
        add_device_reply(reply, verdict);
        EXPECT_FALSE(verdict.reason.empty()) << i;
    }
}

}  // namespace
}  // namespace atl
