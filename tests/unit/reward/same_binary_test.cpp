// Sources of which the same binary is made are one program, which is run once.

#include "tests/unit/reward/local_evaluator_fixture.hpp"

namespace atl {
namespace {

using SameBinary = LocalEvaluatorTest;

TEST_F(SameBinary, AnotherSourceIsAnsweredFromTheRecord) {
    make();
    const EvaluationResult first = evaluate(request("a; unused(1)"));
    ASSERT_TRUE(first);
    EXPECT_FALSE(first->from_cache);
    ASSERT_FALSE(binary_of(*first).is_zero());
    const EvaluationResult second = evaluate(request("a; unused(2 + 3)"));
    ASSERT_TRUE(second);
    EXPECT_EQ(binary_of(*second), binary_of(*first));
    EXPECT_NE(second->key, first->key);
    EXPECT_TRUE(second->from_cache);
    EXPECT_EQ(public_geomean_ns(*second), public_geomean_ns(*first));
    EXPECT_EQ(m_lane->orders().size(), 1u) << "one run for both";
    EXPECT_EQ(m_compiler->requests().size(), 3u) << "two sources and the oracle";
    // From now on its own key is known too.
    const EvaluationResult again = evaluate(request("a; unused(2 + 3)"));
    EXPECT_EQ(m_compiler->requests().size(), 3u);
    EXPECT_TRUE(again->from_cache);
    const EvaluationResult other = evaluate(request("b; unused(1)"));
    ASSERT_TRUE(other);
    EXPECT_NE(binary_of(*other), binary_of(*first));
    EXPECT_EQ(m_lane->orders().size(), 2u);
}

TEST_F(SameBinary, WhoeverWantsItMeasuredAnewIsNotAnswered) {
    make();
    ASSERT_TRUE(evaluate(request("a; unused(1)")));
    EvaluationRequest fresh = request("a; unused(2)");
    fresh.use_cache = false;
    ASSERT_TRUE(evaluate(fresh));
    ASSERT_TRUE(evaluate(request("a; unused(3)", Level::confirm)));
    ASSERT_TRUE(evaluate(request("a; unused(4)", Level::verify))) << "another level";
    EXPECT_EQ(m_lane->orders().size(), 4u);
}

TEST_F(SameBinary, OneThatStoppedAtACutOffAnswersOnlyWhoWouldStopThereToo) {
    make([](const DeviceOrder& order) -> Expected<EvaluateReply> {
        EvaluateReply reply = *testing::FakeLane::passes(order);
        if (order.evaluate.cutoff_ns > 0) {
            reply.outcome = Outcome::slower_than_cutoff;
        }
        return reply;
    });
    EvaluationRequest hasty = request("a; unused(1)");
    hasty.cutoff_ns = 100;
    const EvaluationResult cut = evaluate(hasty);
    ASSERT_TRUE(cut);
    EXPECT_EQ(cut->outcome, Outcome::slower_than_cutoff);
    const EvaluationResult whole = evaluate(request("a; unused(2)"));
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->outcome, Outcome::passed);
    EXPECT_EQ(m_lane->orders().size(), 2u);
}

}  // namespace
}  // namespace atl
