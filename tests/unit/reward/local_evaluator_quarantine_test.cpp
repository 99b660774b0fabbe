#include "tests/support/temporary_folder.hpp"
#include "tests/unit/reward/local_evaluator_fixture.hpp"

#include <algorithm>

namespace atl {
namespace {

using testing::FakeLane;

/// Sources whose death or hang was pinned on them are not run again.
class LocalEvaluatorQuarantine : public LocalEvaluatorTest {
  protected:
    void make_with(Outcome outcome) {
        make([outcome](const DeviceOrder& order) {
            Expected<EvaluateReply> reply = FakeLane::passes(order);
            reply->outcome = outcome;
            reply->stage = Stage::verify;
            return reply;
        });
    }
    EvaluationRequest suspect(const std::string& body, Level level = Level::verify) const {
        EvaluationRequest asked = request(body, level);
        asked.quarantine = true;
        return asked;
    }
};

TEST_F(LocalEvaluatorQuarantine, ASourceThatDiedIsAnsweredFromRecordAtEveryLevel) {
    for (const Outcome outcome : {Outcome::crash, Outcome::timeout, Outcome::memory_fault}) {
        make_with(outcome);
        EXPECT_FALSE(evaluate(suspect("a"))->from_cache);
        for (const Level level : {Level::verify, Level::measure, Level::confirm}) {
            const EvaluationResult again = evaluate(suspect("/* again */ a", level));
            ASSERT_TRUE(again);
            EXPECT_EQ(again->outcome, outcome);
            EXPECT_TRUE(again->from_cache);
        }
        EvaluationRequest fresh = suspect("a");
        fresh.use_cache = false;
        EXPECT_TRUE(evaluate(fresh)->from_cache);
        EXPECT_EQ(m_lane->orders().size(), 1u);
        EXPECT_EQ(m_evaluator->stats().cache_hits, 4u);
        m_evaluator.reset();
    }
}

TEST_F(LocalEvaluatorQuarantine, OtherFaultsOtherCandidatesAndWhoDoesNotAskAreRun) {
    make_with(Outcome::wrong_result);
    ASSERT_TRUE(evaluate(suspect("a")));
    EXPECT_FALSE(evaluate(suspect("a", Level::measure))->from_cache);
    m_evaluator.reset();
    make_with(Outcome::crash);
    ASSERT_TRUE(evaluate(suspect("a")));
    EvaluationRequest tuned = suspect("a");
    tuned.candidate.tune = {{"TILE", "8"}};
    EXPECT_FALSE(evaluate(tuned)->from_cache);
    EXPECT_FALSE(evaluate(suspect("b"))->from_cache);
    EXPECT_FALSE(evaluate(request("a", Level::measure))->from_cache);
    auto other = std::make_shared<Task>(*m_task);
    other->digest = content_id("another task");
    EvaluationRequest elsewhere = suspect("a");
    elsewhere.task = other;
    EXPECT_FALSE(evaluate(elsewhere)->from_cache);
}

TEST_F(LocalEvaluatorQuarantine, WhatWasQueuedBeforeItDiedIsNotRunEither) {
    make_with(Outcome::crash);
    m_lane->hold();
    Result first = submit(suspect("a"));
    m_lane->wait_until_inside();
    Result next = submit(suspect("a", Level::measure));
    Result last = submit(suspect("a", Level::confirm));
    m_lane->release();
    EXPECT_FALSE(first.get()->from_cache);
    EXPECT_TRUE(next.get()->from_cache);
    EXPECT_TRUE(last.get()->from_cache);
    EXPECT_EQ(m_lane->orders().size(), 1u);
}

TEST_F(LocalEvaluatorQuarantine, ItLastsWhereThereIsACacheFolder) {
    const testing::TemporaryFolder folder;
    for (const bool is_first : {true, false}) {
        m_parts.cache_folder = folder.path().string();
        make_with(Outcome::timeout);
        const EvaluationResult result =
            evaluate(suspect("a", is_first ? Level::verify : Level::measure));
        ASSERT_TRUE(result);
        EXPECT_EQ(result->from_cache, !is_first);
        EXPECT_EQ(result->outcome, Outcome::timeout);
        m_evaluator.reset();
    }
}

TEST_F(LocalEvaluatorQuarantine, AskersTakeTurnsOnTheDevice) {
    constexpr int k_jobs = 40;
    make();
    std::vector<int> order;  // of the answers, which come on one thread
    std::promise<void> all;
    const auto ask = [&](int number, const std::string& client) {
        EvaluationRequest asked = request("int a" + std::to_string(number) + ";");
        asked.asker = {client, 1};
        m_evaluator->submit(asked, [&order, &all, number](const EvaluationResult&) {
            order.push_back(number);
            if (order.size() == k_jobs + 1) {
                all.set_value();
            }
        });
    };
    m_lane->hold();
    for (int i = 0; i < k_jobs; ++i) {
        ask(i, "batch");
    }
    m_lane->wait_until_inside();
    ask(k_jobs, "single");
    m_lane->release();
    all.get_future().wait();
    // One at work, eight that are compiled, one that is being compiled, one turn of the batch.
    const auto at = std::find(order.begin(), order.end(), k_jobs) - order.begin();
    EXPECT_LE(at, 11);
}

}  // namespace
}  // namespace atl
