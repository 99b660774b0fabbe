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

TEST(JudgeConfirm, NeedsTheStarterAndThePreviousBestButNoBaseline) {
    ConfirmPlan plan;
    plan.request.rivals = {{k_rival_starter, {}, {}}, {k_rival_previous, {}, {}}, {"blas", {}, {}}};
    Verdict verdict;
    verdict.outcome = Outcome::passed;
    verdict.measure.emplace();
    verdict.measure->workloads = {timing(50, 0.01)};
    verdict.measure->rivals[k_rival_previous] = {timing(100, 0.01)};
    EXPECT_EQ(rival_not_measured(plan, verdict, "speedup"), k_rival_starter);
    EXPECT_EQ(rival_not_measured(plan, verdict, "light"), std::nullopt);
    verdict.measure->rivals[k_rival_starter] = {timing(200, 0.01)};
    EXPECT_EQ(rival_not_measured(plan, verdict, "speedup"), std::nullopt);
    verdict.measure->rivals.erase(k_rival_previous);
    EXPECT_EQ(rival_not_measured(plan, verdict, "speedup"), k_rival_previous);
    verdict.outcome = Outcome::wrong_result;  // whoever it was to be compared with
    EXPECT_EQ(rival_not_measured(plan, verdict, "speedup"), std::nullopt);
    verdict.outcome = Outcome::passed;
    plan.request.rivals.clear();  // an outside judge
    EXPECT_EQ(rival_not_measured(plan, verdict, "speedup"), std::nullopt);
}

/// A campaign of two individuals found 4.0 and 5.0 times as fit as the first.
class Estimates : public ::testing::Test {
  protected:
    void SetUp() override {
        apply(CampaignStarted{});
        apply(SessionOpened{});
        for (std::uint64_t ticket = 0; ticket < 3; ++ticket) {
            TicketIssued issued;
            issued.ticket = ticket;
            issued.operator_name = "starter";
            apply(issued);
            Individual one;
            one.id = IndividualId::make(ticket, 0);
            one.outcome = Outcome::passed;
            one.fitness = ticket == 0 ? 1 : 3.0 + static_cast<double>(ticket);
            one.key.bytes[0] = static_cast<std::uint8_t>(ticket + 1);
            apply(Evaluated{one});
            apply(TicketCommitted{ticket, 0, 0, 0, 0});
        }
    }
    void apply(const Event& event) {
        const Status status = m_state.apply(event);
        ASSERT_TRUE(status) << status.error().message();
    }
    void confirm(std::uint64_t ticket, bool accepted, double fitness) {
        Confirmed confirmed;
        confirmed.individual = IndividualId::make(ticket, 0);
        confirmed.outcome = Outcome::passed;
        confirmed.accepted = accepted;
        confirmed.fitness = fitness;
        confirmed.at_ns = ++m_now;
        apply(confirmed);
    }

    CampaignState m_state{StateSettings{}};
    std::int64_t m_now = 0;
};

TEST_F(Estimates, AreOnTheScaleOfTheConfirmedBest) {
    EXPECT_EQ(estimate_scale(m_state), 1);
    confirm(2, false, 2.0);  // turned down, but it tells what the baseline is worth
    EXPECT_DOUBLE_EQ(estimate_scale(m_state), 2.0 / 5);
    confirm(1, true, 3.0);
    EXPECT_DOUBLE_EQ(estimate_scale(m_state), 3.0 / 4);
    confirm(2, false, 1.0);
    EXPECT_DOUBLE_EQ(estimate_scale(m_state), 3.0 / 4);
}

TEST_F(Estimates, OneTurnedDownIsNeverCalledBest) {
    EXPECT_EQ(fittest_not_refused(m_state)->id, IndividualId::make(2, 0));
    confirm(2, false, 2.0);
    EXPECT_TRUE(turned_down(m_state, IndividualId::make(2, 0)));
    EXPECT_EQ(fittest_not_refused(m_state)->id, IndividualId::make(1, 0));
}

TEST_F(Estimates, AProgramIsTurnedDownUnderAllItsIndividuals) {
    EXPECT_TRUE(keys_turned_down(m_state).empty());
    confirm(2, false, 2.0);
    confirm(1, true, 3.0);
    EXPECT_EQ(keys_turned_down(m_state),
              std::set<Digest>{m_state.find(IndividualId::make(2, 0))->key});
}

TEST_F(Estimates, AFinishedCampaignWhoseBestWasRefutedHasNoneConfirmed) {
    confirm(2, true, 5.0);
    confirm(2, false, 0.0);
    apply(CampaignStopped{"budget", true, 9});
    EXPECT_FALSE(confirmed_at_end(m_state));
    EXPECT_EQ(fittest_not_refused(m_state)->id, IndividualId::make(1, 0));
}

TEST_F(Estimates, AFinishedCampaignHasItsBestConfirmed) {
    confirm(1, true, 3.0);
    EXPECT_FALSE(confirmed_at_end(m_state));
    apply(CampaignStopped{"budget", true, 9});
    EXPECT_EQ(confirmed_at_end(m_state), IndividualId::make(1, 0));
    apply(SessionOpened{1, 0, ""});
    EXPECT_FALSE(confirmed_at_end(m_state));
}

}  // namespace
}  // namespace atl
