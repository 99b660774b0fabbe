// A whole GPU lane (verifier, runner, spare) on the simulated device: real processes, real memory
// between them, our own kernels compiled for this machine, and candidates that are right, wrong, or
// take their process down.

#include "reward/gpu/gpu_package.hpp"
#include "reward/gpu/gpu_protocol.hpp"
#include "tests/unit/cuda/gpu_lane_fixture.hpp"

#include <gmock/gmock.h>

#include <string>

namespace atl {
namespace {

using ::testing::HasSubstr;
using testing::k_right;
using ::testing::Not;
using testing::shared;

class GpuLaneTest : public testing::GpuLaneFixture {};

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
    const EvaluateReply reply = judge_hang();
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

TEST_F(GpuLaneTest, AProfileComesBehindTheMeasurementAndTheNextCandidateIsTimedAsEver) {
    start_with_cupti();
    DeviceOrder order = order_of(k_right, Level::measure);
    order.evaluate.profile_workload = workload("large");
    for (int round = 0; round < 3; ++round) {
        const EvaluateReply reply = value_or_throw(m_lane->evaluate(order));
        EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
        EXPECT_EQ(reply.stage, Stage::measure);
        EXPECT_EQ(reply.stage_times.back().stage, Stage::profile);
        ASSERT_TRUE(reply.measure);
        ASSERT_TRUE(reply.counters);
        EXPECT_EQ(reply.counters->why_none, "");
        ASSERT_EQ(reply.counters->kernels.size(), 1u);
        EXPECT_EQ(reply.counters->kernels[0].kernel, "run");
        EXPECT_FALSE(m_lane->broken());
        EXPECT_FALSE(judge(k_right, Level::measure).counters) << "it was not asked for";
    }
}

TEST_F(GpuLaneTest, AProfileThatCannotBeIsSaidAndTheVerdictStands) {
    DeviceOrder order = order_of(k_right, Level::measure);
    order.evaluate.profile_workload = workload("large");
    const EvaluateReply reply = value_or_throw(m_lane->evaluate(order));
    EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    ASSERT_TRUE(reply.counters);
    EXPECT_THAT(reply.counters->why_none, HasSubstr("no CUPTI"));
}

TEST_F(GpuLaneTest, WrongCandidatesAndHiddenWorkloadsHaveNoProfile) {
    start_with_cupti();
    DeviceOrder order = order_of("", Level::measure);
    order.evaluate.profile_workload = workload("large");
    EXPECT_FALSE(value_or_throw(m_lane->evaluate(order)).counters);
    order = order_of(k_right, Level::confirm);
    order.evaluate.profile_workload = workload("secret");
    const auto hidden = m_lane->evaluate(order);
    ASSERT_FALSE(hidden);
    EXPECT_THAT(hidden.error().message(), HasSubstr("no such public workload"));
}

TEST_F(GpuLaneTest, AConfirmationMeetsHiddenWorkloadsAndRivals) {
    DeviceOrder order = order_of(k_right, Level::confirm);
    order.evaluate.rivals = {"itself", "wrong"};
    order.evaluate.rival_trusted = {false, false};
    order.binaries.push_back(shared(m_judged.package(k_right)));
    order.binaries.push_back(
        shared(m_judged.package("*reinterpret_cast<volatile char*>(16) = 1;")));
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

// A mark in the middle of every buffer, where no small tensor nor what is watched beside it lies.
TEST_F(GpuLaneTest, NothingOfOneCandidateReachesTheNext) {
    const std::string leave = std::string(k_right) +
                              "const void* all[] = {x, bias, y};"
                              "for (const void* tensor : all)"
                              "    memcpy(page_of(tensor) + (1 << 20), \"answers\", 8);";
    const std::string take = std::string(k_right) +
                             "const void* all[] = {x, bias, y};"
                             "for (const void* tensor : all)"
                             "    if (memcmp(page_of(tensor) + (1 << 20), \"answers\", 8) == 0)"
                             "        y[0] = 1e9f;";
    EXPECT_EQ(judge(leave).outcome, Outcome::passed);
    const EvaluateReply reply = judge(take);
    EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
}

TEST_F(GpuLaneTest, WhatVerificationShowedIsGoneWhenTimesAreTaken) {
    const std::string body = std::string(k_right) +
                             "if (rows != 64) memcpy(page_of(y) + (1 << 20), \"answers\", 8);"
                             "if (calls > 1 && memcmp(page_of(y) + (1 << 20), \"answers\", 8) == 0)"
                             "    *reinterpret_cast<volatile char*>(16) = 1;";
    const EvaluateReply reply = judge(body, Level::measure);
    EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
}

TEST_F(GpuLaneTest, ARivalFindsNothingOfTheCandidate) {
    DeviceOrder order = order_of(
        std::string(k_right) + "memcpy(page_of(y) + (1 << 20), \"answers\", 8);", Level::confirm);
    order.evaluate.rivals = {"reader"};
    order.evaluate.rival_trusted = {false};
    order.binaries.push_back(
        shared(m_judged.package(std::string(k_right) +
                                "if (memcmp(page_of(y) + (1 << 20), \"answers\", 8) == 0)"
                                "    *reinterpret_cast<volatile char*>(16) = 1;")));
    const EvaluateReply reply = value_or_throw(m_lane->evaluate(order));
    EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    EXPECT_THAT(reply.noise, Not(HasSubstr("left out")));
}

// It moves the task out to other buffers and, once it has ended, home again, between two calls.
TEST_F(GpuLaneTest, ARivalThatHangsWhileTimedCostsTheCandidateNothing) {
    DeviceOrder order = order_of(k_right, Level::confirm);
    order.evaluate.launch_timeout_s = 0.1;
    order.evaluate.rivals = {"hanging", "itself"};
    order.evaluate.rival_trusted = {false, false};
    order.binaries.push_back(shared(m_judged.package(
        std::string(k_right) + "while (calls > 1) y[0] = *(volatile float*)x + 1e9f;")));
    order.binaries.push_back(shared(m_judged.package(k_right)));
    for (int round = 0; round < 3; ++round) {
        const EvaluateReply reply = value_or_throw(m_lane->evaluate(order));
        EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
        EXPECT_THAT(reply.noise, HasSubstr("rival 'hanging' is left out"));
        ASSERT_TRUE(reply.measure);
        EXPECT_TRUE(reply.measure->rivals.contains("itself"));
    }
}

TEST_F(GpuLaneTest, NoPositionOfACallIsSafe) {
    // Wrong late in a call only, and right at its end. One judged call in six ends there.
    const std::string late = std::string(k_right) + "if (calls >= 5 && calls <= 7) y[0] = 1e9f;";
    int tries = 1;
    while (judge(late, Level::measure).outcome == Outcome::passed && tries < 30) {
        ++tries;
    }
    EXPECT_LT(tries, 30);
}

// The calls that are longer than the screening are counted in the environment of the process.
TEST_F(GpuLaneTest, OneOfTheFirstTwoCallsIsJudgedAndNobodyKnowsWhich) {
    const auto wrong_in = [](const std::string& calls) {
        return std::string(k_right) +
               "if (rows != 64) setenv(\"CALL\", \"0\", 1);"
               "int call = atoi(getenv(\"CALL\"));"
               "if (rows == 64 && calls == 4) {"
               "    char text[16]; snprintf(text, sizeof(text), \"%d\", ++call);"
               "    setenv(\"CALL\", text, 1);"
               "}"
               "if (rows == 64 && calls >= 4 && (" +
               calls + ")) y[0] = 1e9f;";
    };
    const std::string in_both = wrong_in("call == 1 || call == 2");
    for (int round = 0; round < 4; ++round) {
        EXPECT_NE(judge(in_both, Level::measure).outcome, Outcome::passed);
    }
    for (const char* calls : {"call == 1", "call == 2"}) {
        int caught = 0;
        int rounds = 0;
        while ((caught == 0 || caught == rounds) && rounds < 40) {
            ++rounds;
            caught += judge(wrong_in(calls), Level::measure).outcome != Outcome::passed;
        }
        EXPECT_GT(caught, 0) << calls;
        EXPECT_LT(caught, rounds) << calls;
    }
}

TEST_F(GpuLaneTest, OfFaultsOnHiddenWorkloadsOnlyTheKindIsTold) {
    const std::string fault = "*reinterpret_cast<volatile char*>(16) = 1;";
    const auto reason = [&](const std::string& when) {
        const EvaluateReply reply = value_or_throw(m_lane->evaluate(
            order_of(std::string(k_right) + "if (" + when + ") " + fault, Level::confirm)));
        EXPECT_EQ(reply.outcome, Outcome::memory_fault) << reply.reason;
        return reply.reason;
    };
    EXPECT_THAT(reason("rows == 64 && calls > 1"), HasSubstr("line 7"));
    for (const std::string when : {"rows == 48", "rows == 48 && calls > 1"}) {
        const std::string told = reason(when);
        EXPECT_THAT(told, HasSubstr("a hidden workload"));
        EXPECT_THAT(told, Not(HasSubstr("line")));
    }
}

TEST_F(GpuLaneTest, WhatKernelsPrintStaysOutOfOurOutput) {
    ::testing::internal::CaptureStdout();
    m_lane->stop();
    start();
    const EvaluateReply reply =
        judge(std::string(k_right) + "printf(\"a forged line\\n\"); fflush(stdout);");
    EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
}

// It takes 240 us and is told as 40; where it finds its inputs and its answer again it does
// nothing.
TEST_F(GpuLaneTest, WhoHasTheClocksRecordsBentIsSeenByEventsOfLaunchesThatCannotBeSpared) {
    start_with_cupti();
    const std::string body =
        "static float seen = 0;"
        "if (x[0] == seen && y[0] == y[0]) return 0;"
        "seen = x[0];" +
        std::string(k_right) + "usleep(240);";
    const EvaluateReply reply =
        value_or_throw(m_lane->evaluate(order_of(body, Level::measure, "bent_run")));
    EXPECT_EQ(reply.outcome, Outcome::reward_hack);
    EXPECT_THAT(reply.reason, HasSubstr("4e+04 ns by CUPTI's clock"));
}

// What it met is kept in the environment of the process, as a kernel could keep it in local memory.
TEST_F(GpuLaneTest, NoCandidateMeetsACaseTwice) {
    start_with_cupti();
    const std::string body =
        std::string(k_right) +
        "if (rows == 64) {"
        "    unsigned long key = 14695981039346656037ul;"
        "    for (long i = 0; i < rows * cols; ++i) {"
        "        unsigned bits; memcpy(&bits, x + i, 4); key = (key ^ bits) * 1099511628211ul;"
        "    }"
        "    char name[32]; snprintf(name, sizeof(name), \"MET_%lx\", key);"
        "    if (getenv(name)) y[0] = 1e9f;"
        "    if (x[0] + x[2] != 2 * x[1]) setenv(name, \"yes\", 1);"  // one distribution is a ramp
        "}";
    for (const Level level : {Level::measure, Level::confirm, Level::confirm}) {
        const EvaluateReply reply = value_or_throw(m_lane->evaluate(order_of(body, level)));
        EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    }
}

TEST_F(GpuLaneTest, WithoutRecordsOfCuptiAllIsTimedByEvents) {
    m_lane->stop();
    m_options.cupti = ATOLL_SIMULATED_CUPTI;
    start();
    const EvaluateReply seen = judge(k_right, Level::measure);
    EXPECT_EQ(seen.outcome, Outcome::passed) << seen.reason;
    EXPECT_THAT(seen.noise, Not(HasSubstr("events")));
    const EvaluateReply reply =
        value_or_throw(m_lane->evaluate(order_of(k_right, Level::measure, "unseen_run")));
    EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    EXPECT_THAT(reply.noise, HasSubstr("events"));
    ASSERT_TRUE(reply.measure);
    ASSERT_EQ(reply.measure->workloads.size(), 1u);
    EXPECT_GE(reply.measure->workloads.front().samples_ns.size(), 6u);
}

}  // namespace
}  // namespace atl
