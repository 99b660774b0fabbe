#include "tests/unit/reward/local_evaluator_fixture.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <stop_token>
#include <vector>

namespace atl {
namespace {

using namespace std::chrono_literals;
using testing::FakeLane;
using ::testing::HasSubstr;

/// Faults of ours, deadlines and the end: what is never a verdict.
using LocalEvaluatorFaults = LocalEvaluatorTest;

TEST_F(LocalEvaluatorFaults, ADeadLaneIsRestartedAndTheJobRetried) {
    int calls = 0;
    make([&calls](const DeviceOrder& order) -> Expected<EvaluateReply> {
        if (++calls == 1) {
            return FakeLane::died();
        }
        return FakeLane::passes(order);
    });
    const EvaluationResult result = evaluate(request("a"));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->outcome, Outcome::passed);
    EXPECT_EQ(m_lane->restarts(), 2);  // the first start is one
    EXPECT_EQ(m_evaluator->stats().worker_restarts, 1u);
    EXPECT_EQ(m_evaluator->stats().faults, 0u);
}

TEST_F(LocalEvaluatorFaults, TwoDeathsAreAFaultAndTheNextJobIsServed) {
    make([](const DeviceOrder& order) -> Expected<EvaluateReply> {
        if (order.evaluate.level == Level::verify) {
            return FakeLane::died();
        }
        return FakeLane::passes(order);
    });
    const EvaluationResult result = evaluate(request("a", Level::verify));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().attempts, 2);
    EXPECT_EQ(result.error().error.code, ErrorCode::unavailable);
    EXPECT_EQ(m_evaluator->stats().faults, 1u);
    EXPECT_TRUE(evaluate(request("a")));
}

TEST_F(LocalEvaluatorFaults, AFaultIsNotCached) {
    int calls = 0;
    make([&calls](const DeviceOrder& order) -> Expected<EvaluateReply> {
        if (++calls <= 2) {
            return FakeLane::died();
        }
        return FakeLane::passes(order);
    });
    EXPECT_FALSE(evaluate(request("a")));
    EXPECT_TRUE(evaluate(request("a")));
}

TEST_F(LocalEvaluatorFaults, ALaneThatDoesNotStartIsAFaultUntilItDoes) {
    make();
    ASSERT_TRUE(evaluate(request("a")));
    m_lane->refuse_to_start(true);
    m_lane->abort();
    EXPECT_FALSE(evaluate(request("b")));
    m_lane->refuse_to_start(false);
    EXPECT_TRUE(evaluate(request("b")));
}

TEST_F(LocalEvaluatorFaults, WhatRetryingCannotHelpIsNotRetried) {
    make([](const DeviceOrder&) -> Expected<EvaluateReply> {
        return failure(ErrorCode::invalid_argument, "the task changed on disk", "verifier");
    });
    const EvaluationResult result = evaluate(request("a"));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().attempts, 1);
    EXPECT_EQ(m_lane->orders().size(), 1u);
}

TEST_F(LocalEvaluatorFaults, AFaultOfTheCompilerIsRetriedOnce) {
    make();
    const EvaluationResult result = evaluate(request("kill_the_compiler"));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().attempts, 2);
    EXPECT_EQ(m_compiler->requests().size(), 2u);
}

TEST_F(LocalEvaluatorFaults, AReferenceThatDoesNotCompileIsNoVerdict) {
    Task task = *m_task;
    task.reference_source = "syntax error";
    m_task = std::make_shared<const Task>(task);
    make();
    const EvaluationResult result = evaluate(request("a"));
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().error.message(), HasSubstr("the reference does not compile"));
    EXPECT_EQ(result.error().attempts, 1);
}

TEST_F(LocalEvaluatorFaults, OnlyAReferenceThatWasRefusedIsTheTasksMistake) {
    const auto fault_with = [this](const std::string& reference) {
        Task task = *m_task;
        task.reference_source = reference;
        m_task = std::make_shared<const Task>(task);
        make();
        const EvaluationResult result = evaluate(request("a"));
        return result ? Error{} : result.error().error;
    };
    const Error unlinked = fault_with("does not link");
    EXPECT_EQ(unlinked.code, ErrorCode::invalid_argument);
    EXPECT_THAT(unlinked.message(), HasSubstr("undefined reference to `f()'"));
    EXPECT_EQ(fault_with("takes too long").code, ErrorCode::limit) << "of a busy machine, perhaps";
}

TEST_F(LocalEvaluatorFaults, ACacheThatCannotBeWrittenIsSaidOnceAndTheVerdictsStand) {
    std::vector<Error> told;
    m_parts.cache_folder = "/proc/nothing";
    m_parts.on_cache_trouble = [&told](const Error& error) { told.push_back(error); };
    make();
    EXPECT_TRUE(evaluate(request("a")));
    EXPECT_TRUE(evaluate(request("b")));
    m_evaluator.reset();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_THAT(told[0].message(), HasSubstr("/proc/nothing"));
}

TEST_F(LocalEvaluatorFaults, ADeadlineOnTheDeviceAbortsTheLane) {
    make();
    m_lane->hold();
    EvaluationRequest order = request("a");
    order.deadline = 10s;
    Result late = submit(order);
    m_lane->wait_until_inside();
    m_clock->advance(11s);
    const EvaluationResult result = late.get();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().error.code, ErrorCode::timeout);
    EXPECT_THAT(result.error().error.what, HasSubstr("on the device"));
    EXPECT_GE(m_lane->aborts(), 1);
    m_lane->release();
    EXPECT_TRUE(evaluate(request("b")));
}

TEST_F(LocalEvaluatorFaults, ADeadlineInTheQueueIsAFaultAndTheJobIsNotRun) {
    make();
    m_lane->hold();
    Result running = submit(request("a"));
    m_lane->wait_until_inside();
    EvaluationRequest order = request("late");
    order.deadline = 10s;
    Result late = submit(order);
    m_clock->advance(11s);
    const EvaluationResult result = late.get();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().error.code, ErrorCode::timeout);
    m_lane->release();
    EXPECT_TRUE(running.get());
    EXPECT_TRUE(evaluate(request("b")));
    EXPECT_EQ(m_lane->orders().size(), 2u);
}

TEST_F(LocalEvaluatorFaults, OneWaitersDeadlineDoesNotEndTheOthers) {
    make();
    m_lane->hold();
    EvaluationRequest patient = request("a");
    EvaluationRequest hurried = request("a");
    hurried.deadline = 10s;
    Result first = submit(patient);
    Result second = submit(hurried);
    m_lane->wait_until_inside();
    m_clock->advance(11s);
    EXPECT_FALSE(second.get());
    EXPECT_EQ(m_lane->aborts(), 0);
    m_lane->release();
    EXPECT_TRUE(first.get());
}

TEST_F(LocalEvaluatorFaults, CancellingWhatNobodyElseWantsAbortsTheLane) {
    make();
    m_lane->hold();
    std::stop_source stop;
    EvaluationRequest order = request("a");
    order.cancel = stop.get_token();
    Result cancelled = submit(order);
    m_lane->wait_until_inside();
    stop.request_stop();
    const EvaluationResult result = cancelled.get();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().error.code, ErrorCode::interrupted);
    EXPECT_THAT(result.error().error.what, HasSubstr("cancelled on the device"));
    EXPECT_GE(m_lane->aborts(), 1);
    m_lane->release();
    EXPECT_TRUE(evaluate(request("a")));
}

TEST_F(LocalEvaluatorFaults, CancellingDoesNotEndWhatOthersWaitFor) {
    make();
    m_lane->hold();
    std::stop_source stop;
    EvaluationRequest order = request("a");
    order.cancel = stop.get_token();
    Result cancelled = submit(order);  // the first: the job is made of its request
    Result other = submit(request("a"));
    m_lane->wait_until_inside();
    stop.request_stop();
    EXPECT_FALSE(cancelled.get());
    EXPECT_EQ(m_lane->aborts(), 0);
    m_lane->release();
    EXPECT_TRUE(other.get());
}

TEST_F(LocalEvaluatorFaults, ShutdownAnswersEverythingOnce) {
    make();
    bool stopped = false;
    m_lane->on_stop([&stopped] { stopped = true; });
    m_lane->hold();
    std::vector<Result> results;
    for (int i = 0; i < 20; ++i) {
        results.push_back(submit(request("job" + std::to_string(i))));
    }
    m_lane->wait_until_inside();
    m_evaluator.reset();
    EXPECT_TRUE(stopped);
    for (Result& result : results) {
        EXPECT_FALSE(result.get());  // a second answer would throw in the evaluator's thread
    }
}

}  // namespace
}  // namespace atl
