#include "reward/base/files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/reward/local_evaluator_fixture.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <map>
#include <thread>
#include <vector>

namespace atl {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::FakeLane;
using ::testing::HasSubstr;

TEST_F(LocalEvaluatorTest, AssemblesAVerdict) {
    make();
    EvaluationRequest order = request("a");
    order.candidate.tune = {{"TILE", "8"}};
    order.candidate.flags = {"-funroll-loops"};
    const EvaluationResult result = evaluate(order);
    ASSERT_TRUE(result) << result.error().error.message();
    EXPECT_EQ(result->outcome, Outcome::passed);
    EXPECT_EQ(result->stage, Stage::measure);
    EXPECT_EQ(result->kind, "cpu_cpp");
    EXPECT_EQ(result->trust, "jailed");
    EXPECT_EQ(result->device, "fake:1");
    EXPECT_EQ(result->toolchain, "fake 1.0");
    EXPECT_FALSE(result->key.is_zero());
    EXPECT_FALSE(result->from_cache);
    EXPECT_FALSE(result->reason.empty());
    EXPECT_EQ(result->timed_seconds, 0.125);
    EXPECT_EQ(result->memory_bytes, 4096u);
    ASSERT_TRUE(result->compile);
    EXPECT_EQ(result->compile->seconds, 0.5);
    EXPECT_THAT(result->compile->flags, ::testing::Contains("-DTILE=8"));
    EXPECT_EQ(result->compile->flags.back(), "-funroll-loops");
    EXPECT_EQ(result->stage_times.size(), 3u);
    EXPECT_DOUBLE_EQ(public_geomean_ns(*result).value(), 1000);
    // The device got the candidate's own binary, and the oracle's.
    const DeviceOrder sent = m_lane->orders().at(0);
    EXPECT_EQ(sent.binaries.size(), 1u);
    ASSERT_TRUE(sent.oracle);
    EXPECT_NE(sent.oracle, sent.binaries.at(0));
    EXPECT_EQ(sent.evaluate.task, m_task->digest);
}

TEST_F(LocalEvaluatorTest, ACandidatesFaultIsAVerdictWithoutADevice) {
    make();
    const EvaluationResult broken = evaluate(request("syntax error"));
    ASSERT_TRUE(broken);
    EXPECT_EQ(broken->outcome, Outcome::compile_error);
    EXPECT_EQ(broken->stage, Stage::compile);
    EXPECT_THAT(broken->reason, HasSubstr("expected unqualified-id"));
    EXPECT_THAT(broken->compile->log, HasSubstr("candidate.cpp:1:1"));

    EvaluationRequest forbidden = request("a");
    forbidden.candidate.flags = {"-fplugin=x.so"};
    const EvaluationResult rejected = evaluate(forbidden);
    ASSERT_TRUE(rejected);
    EXPECT_EQ(rejected->outcome, Outcome::rejected);
    EXPECT_EQ(rejected->stage, Stage::lint);

    EvaluationRequest unknown = request("a");
    unknown.candidate.kind = "fortran";
    const EvaluationResult no_kind = evaluate(unknown);
    ASSERT_TRUE(no_kind);
    EXPECT_EQ(no_kind->outcome, Outcome::rejected);
    EXPECT_TRUE(m_lane->orders().empty());
}

TEST_F(LocalEvaluatorTest, ARequestWithoutATaskIsAFault) {
    make();
    const EvaluationResult result = evaluate(EvaluationRequest());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().error.code, ErrorCode::invalid_argument);
}

TEST_F(LocalEvaluatorTest, IdenticalJobsInFlightShareOneRun) {
    make();
    m_lane->hold();
    Result first = submit(request("a"));
    m_lane->wait_until_inside();
    // Comments and white space do not make another program.
    Result second = submit(request("/* more */ a"));
    Result other = submit(request("b"));
    m_lane->release();
    ASSERT_TRUE(first.get());
    const EvaluationResult joined = second.get();
    ASSERT_TRUE(joined);
    EXPECT_FALSE(joined->from_cache);
    ASSERT_TRUE(other.get());
    EXPECT_EQ(m_lane->orders().size(), 2u);
    const EvaluatorStats stats = m_evaluator->stats();
    EXPECT_EQ(stats.submitted, 3u);
    EXPECT_EQ(stats.completed, 3u);
    EXPECT_EQ(stats.coalesced, 1u);
}

TEST_F(LocalEvaluatorTest, CountsHowLongItsDevicesWorked) {
    make([&](const DeviceOrder& order) {
        m_clock->advance(std::chrono::milliseconds(250));
        return testing::FakeLane::passes(order);
    });
    ASSERT_TRUE(evaluate(request("a")));
    ASSERT_TRUE(evaluate(request("b")));
    ASSERT_TRUE(evaluate(request("a")));
    EXPECT_DOUBLE_EQ(m_evaluator->stats().busy_seconds, 0.5);
}

TEST_F(LocalEvaluatorTest, TheCacheAnswersWhatWasAnsweredBefore) {
    make();
    const EvaluationResult first = evaluate(request("a"));
    const EvaluationResult again = evaluate(request("a"));
    ASSERT_TRUE(first && again);
    EXPECT_TRUE(again->from_cache);
    EXPECT_EQ(again->key, first->key);
    EXPECT_EQ(again->memory_bytes, first->memory_bytes);
    EXPECT_EQ(m_lane->orders().size(), 1u);
    EXPECT_EQ(m_evaluator->stats().cache_hits, 1u);

    EvaluationRequest fresh = request("a");
    fresh.use_cache = false;
    EXPECT_FALSE(evaluate(fresh)->from_cache);
    EvaluationRequest tuned = request("a");
    tuned.candidate.tune = {{"TILE", "8"}};
    EXPECT_FALSE(evaluate(tuned)->from_cache);
    EXPECT_FALSE(evaluate(request("a", Level::verify))->from_cache);
    EvaluationRequest profiled = request("a");
    profiled.profile = true;
    EXPECT_FALSE(evaluate(profiled)->from_cache) << "what is known has no counters";
    EXPECT_TRUE(evaluate(profiled)->from_cache);
    auto allowing = std::make_shared<Task>(*m_task);
    allowing->allowed_flags.emplace_back("-fone-more");
    EvaluationRequest allowed = request("a");
    allowed.task = allowing;
    EXPECT_FALSE(evaluate(allowed)->from_cache) << "what was refused may be allowed now";
    EXPECT_EQ(m_lane->orders().size(), 6u);
}

TEST_F(LocalEvaluatorTest, WhatTellsLinesIsKeptForOneLayoutOnly) {
    make();
    const EvaluationResult first = evaluate(request("syntax error"));
    const EvaluationResult again = evaluate(request("syntax error"));
    const EvaluationResult other = evaluate(request("// one line further\nsyntax error"));
    ASSERT_TRUE(first && again && other);
    EXPECT_EQ(again->outcome, Outcome::compile_error);
    EXPECT_TRUE(again->from_cache);
    EXPECT_EQ(again->key, first->key);
    EXPECT_EQ(again->reason, first->reason);
    EXPECT_FALSE(other->from_cache);
    EXPECT_EQ(other->key, first->key) << "it is one candidate";
    ASSERT_TRUE(evaluate(request("a")));
    EXPECT_TRUE(evaluate(request("/* elsewhere */\n a"))->from_cache) << "no line is told";
}

TEST_F(LocalEvaluatorTest, ConfirmationIsNeverCachedOrShared) {
    make();
    m_lane->hold();
    Result first = submit(request("a", Level::confirm));
    m_lane->wait_until_inside();
    Result second = submit(request("a", Level::confirm));
    m_lane->release();
    EXPECT_FALSE(first.get()->from_cache);
    EXPECT_FALSE(second.get()->from_cache);
    EXPECT_FALSE(evaluate(request("a", Level::confirm))->from_cache);
    EXPECT_EQ(m_lane->orders().size(), 3u);
}

TEST_F(LocalEvaluatorTest, ACutOffVerdictAnswersOnlyRequestsThatWouldStopThereToo) {
    make([](const DeviceOrder& order) {
        Expected<EvaluateReply> reply = FakeLane::passes(order);
        // The time is 1000 ns.
        if (order.evaluate.cutoff_ns > 0 && 1.5 * order.evaluate.cutoff_ns < 1000) {
            reply->outcome = Outcome::slower_than_cutoff;
        }
        return reply;
    });
    EvaluationRequest order = request("a");
    order.cutoff_ns = 500;
    EXPECT_EQ(evaluate(order)->outcome, Outcome::slower_than_cutoff);
    order.cutoff_ns = 600;
    EXPECT_TRUE(evaluate(order)->from_cache);
    order.cutoff_ns = 900;  // measured to the end, though slower than this
    const EvaluationResult lenient = evaluate(order);
    EXPECT_FALSE(lenient->from_cache);
    EXPECT_EQ(lenient->outcome, Outcome::passed);
    order.cutoff_ns = 0;
    EXPECT_EQ(evaluate(order)->outcome, Outcome::passed);
}

TEST_F(LocalEvaluatorTest, AnotherProcessFindsTheVerdictOfAnEqualMachine) {
    const testing::TemporaryFolder folder;
    for (const bool same_machine : {true, false}) {
        m_device = "fake:1";
        m_parts.cache_folder = folder.path().string();
        make();
        ASSERT_TRUE(evaluate(request("a")));
        m_evaluator.reset();
        m_device = same_machine ? "fake:1" : "another model";
        m_parts.cache_folder = folder.path().string();
        make();
        const EvaluationResult again = evaluate(request("a"));
        EXPECT_EQ(again->from_cache, same_machine);
        EXPECT_EQ(again->memory_bytes, 4096u);
        m_evaluator.reset();
    }
}

TEST_F(LocalEvaluatorTest, LimitsThatChangeVerdictsChangeTheFingerprint) {
    make();
    const std::string usual = m_evaluator->fingerprint();
    m_evaluator.reset();
    m_parts.limits.confidence = 0.5;
    make();
    EXPECT_NE(m_evaluator->fingerprint(), usual);
    EXPECT_THAT(usual, HasSubstr("fake:1"));
    EXPECT_THAT(m_evaluator->description(), HasSubstr("fake 1.0"));
}

TEST_F(LocalEvaluatorTest, CallbacksNeverRunInsideSubmit) {
    make();
    ASSERT_TRUE(evaluate(request("a")));
    std::promise<std::thread::id> where;
    m_evaluator->submit(request("a"), [&](const EvaluationResult& result) {
        EXPECT_TRUE(result->from_cache);
        where.set_value(std::this_thread::get_id());
    });
    EXPECT_NE(where.get_future().get(), std::this_thread::get_id());
}

TEST_F(LocalEvaluatorTest, ManySubmittersGetOneAnswerEach) {
    m_parts.compile_workers = 3;
    make();
    constexpr int k_threads = 4;
    constexpr int k_jobs = 50;
    std::atomic<int> answers = 0;
    std::atomic<int> passed = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < k_threads; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < k_jobs; ++i) {
                m_evaluator->submit(request("job" + std::to_string(i % 20)),
                                    [&](const EvaluationResult& result) {
                                        passed += result ? 1 : 0;
                                        ++answers;
                                    });
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_TRUE(evaluate(request("last")));
    while (answers < k_threads * k_jobs) {
        std::this_thread::yield();
    }
    EXPECT_EQ(passed, k_threads * k_jobs);
    EXPECT_EQ(m_lane->orders().size(), 21u);
    EXPECT_EQ(m_evaluator->stats().completed, static_cast<std::uint64_t>(k_threads * k_jobs + 1));
}

TEST_F(LocalEvaluatorTest, OnSharedCoresCompilesAndRunsTakeTurns) {
    std::atomic<int> busy = 0;
    std::atomic<int> most = 0;
    const auto work = [&] {
        most = std::max(most.load(), ++busy);
        std::this_thread::sleep_for(1ms);
        --busy;
    };
    m_on_compile = [&](const CompileRequest&) { work(); };
    m_parts.shared_cores = true;
    make([&](const DeviceOrder& order) {
        work();
        return FakeLane::passes(order);
    });
    std::vector<Result> results;
    for (int i = 0; i < 20; ++i) {
        results.push_back(submit(request("job" + std::to_string(i))));
    }
    for (Result& result : results) {
        EXPECT_TRUE(result.get());
    }
    EXPECT_EQ(most, 1);
}

TEST_F(LocalEvaluatorTest, RivalsAreCompiledAndThoseThatCannotBeAreNoted) {
    make();
    EvaluationRequest order = request("a", Level::confirm);
    order.rivals = {{"previous best", request("b").candidate, {}},
                    {"broken", request("syntax error").candidate, {}},
                    {"openblas", request("blas").candidate, {"openblas"}}};
    const EvaluationResult result = evaluate(order);
    ASSERT_TRUE(result);
    EXPECT_THAT(result->noise, HasSubstr("rival 'broken' was left out"));
    EXPECT_EQ(result->measure->rivals.size(), 2u);
    const EvaluateOrder sent = m_lane->orders().at(0).evaluate;
    EXPECT_THAT(sent.rivals, ElementsAre("previous best", "openblas"));
    EXPECT_THAT(sent.rival_trusted, ElementsAre(false, true));
    EXPECT_EQ(m_lane->orders().at(0).binaries.size(), 3u);
    std::map<std::string, std::size_t> libraries;
    for (const CompileRequest& compiled : m_compiler->requests()) {
        libraries[compiled.source.find("blas") != std::string::npos ? "blas" : "other"] +=
            compiled.libraries.size();
    }
    EXPECT_EQ(libraries["blas"], 1u);
    EXPECT_EQ(libraries["other"], 0u);
}

TEST_F(LocalEvaluatorTest, TheOracleIsCompiledOncePerTask) {
    make();
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(evaluate(request("job" + std::to_string(i))));
    }
    int oracles = 0;
    for (const CompileRequest& compiled : m_compiler->requests()) {
        oracles += compiled.source.find("/* oracle */") != std::string::npos ? 1 : 0;
    }
    EXPECT_EQ(oracles, 1);
}

}  // namespace
}  // namespace atl
