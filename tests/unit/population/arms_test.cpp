// What bandits are told of operators, models and strategies.

#include "population/campaign_state.hpp"
#include "tests/unit/population/samples.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

/// Two starters are committed; tickets 2, 3... are issued by asks().
class Arms : public ::testing::Test {
  protected:
    void issue(const std::string& model, const std::string& strategy,
               const std::string& operator_name = "rewrite") {
        TicketIssued issued = samples::ticket_issued(m_state.next_ticket(), 0, {}, 2);
        issued.operator_name = operator_name;
        issued.model = model;
        issued.strategy = strategy;
        samples::require(m_state.apply(issued));
    }

    void evaluate(std::uint64_t ticket, double fitness) {
        samples::require(m_state.apply(
            Evaluated{samples::individual(ticket, 0, 0, fitness, std::to_string(ticket))}));
    }

    void end(std::uint64_t ticket, double fitness, double reward) {
        evaluate(ticket, fitness);
        samples::require(m_state.apply(TicketCommitted{ticket, reward, 0, 0, 0}));
    }

    void pay(std::uint64_t ticket, std::int64_t nano_dollars, bool reply = true) {
        ModelExchanged exchanged;
        exchanged.ticket = ticket;
        exchanged.model = "a";
        exchanged.reply = reply ? content_id("reply") : Digest{};
        exchanged.error_code = reply ? "" : "timeout";
        exchanged.nano_dollars = nano_dollars;
        samples::require(m_state.apply(exchanged));
    }

    CampaignState m_state = samples::fold(samples::campaign(), 8);
};

// By hand, with a decay of 0.95: 0.5 * 0.95 + 0.1 and 1 * 0.95 + 1 for the first model.
TEST_F(Arms, EarnForTheModelAndTheStrategyOfTheirTickets) {
    issue("a", "fuse");
    issue("b", "");
    issue("a", "fuse");
    EXPECT_EQ(m_state.model_arms().at("a").issued, 2u);
    end(2, 2, 0.5);
    end(4, 2, 0.1);
    const ArmStats& a = m_state.model_arms().at("a");
    EXPECT_EQ(a.committed, 2u);
    EXPECT_EQ(a.improved, 2u);
    EXPECT_DOUBLE_EQ(a.reward_sum, 0.6);
    EXPECT_DOUBLE_EQ(a.decayed_reward, 0.5 * 0.95 + 0.1);
    EXPECT_DOUBLE_EQ(a.decayed_count, 1.95);
    EXPECT_EQ(m_state.strategy_arms().at("fuse"), a);
    EXPECT_EQ(m_state.model_arms().at("b").issued, 1u);
    EXPECT_EQ(m_state.model_arms().at("b").committed, 0u);
    EXPECT_EQ(m_state.strategy_arms().size(), 1u);
}

TEST_F(Arms, OfTicketsWithoutAModelChangeNoModel) {
    issue("a", "fuse");
    end(2, 2, 0.5);
    const ArmTable models = m_state.model_arms();
    issue("", "", "tune");
    end(3, 2, 0.5);
    EXPECT_EQ(m_state.model_arms(), models);
    EXPECT_EQ(m_state.operators().at("tune").committed, 1u);
    EXPECT_EQ(m_state.operators().at("rewrite").rested, 1u);
}

TEST_F(Arms, CountFailuresInARowAndHowLongTheyRested) {
    for (int i = 0; i < 5; ++i) {
        issue(i == 4 ? "b" : "a", "");
    }
    end(2, 0, 0);
    samples::require(m_state.apply(TicketFailed{3, "nothing new", false}));
    EXPECT_EQ(m_state.model_arms().at("a").failed_in_row, 2u);
    samples::require(m_state.apply(TicketFailed{4, "the worker died", true}));
    EXPECT_EQ(m_state.model_arms().at("a").failed_in_row, 2u) << "a fault of ours says nothing";
    EXPECT_EQ(m_state.model_arms().at("a").decayed_count, 1.95);
    end(6, 2, 0);
    EXPECT_EQ(m_state.model_arms().at("a").rested, 1u);
    EXPECT_EQ(m_state.model_arms().at("b").rested, 0u);
    end(5, 1, 0);
    EXPECT_EQ(m_state.model_arms().at("a").failed_in_row, 0u) << "right, if not better";
    EXPECT_EQ(m_state.model_arms().at("a").rested, 0u);
    EXPECT_EQ(m_state.model_arms().at("b").rested, 1u);
}

// So that a bandit with a mask lets a model rest whose endpoint is down.
TEST_F(Arms, AModelThatGaveNoAnswerFailedAndNothingElse) {
    issue("b", "");
    issue("a", "fuse");
    issue("a", "fuse");
    samples::require(m_state.apply(TicketFailed{2, "nothing new", false}));
    const ArmStats operators = m_state.operators().at("rewrite");
    for (const std::uint64_t ticket : {3, 4}) {
        pay(ticket, -1, false);
        samples::require(m_state.apply(TicketFailed{ticket, "no answer", true}));
    }
    EXPECT_EQ(m_state.model_arms().at("a").failed_in_row, 2u);
    EXPECT_EQ(m_state.model_arms().at("a").decayed_count, 0);
    EXPECT_EQ(m_state.model_arms().at("b").rested, 2u);
    EXPECT_EQ(m_state.strategy_arms().at("fuse").failed_in_row, 0u);
    EXPECT_EQ(m_state.operators().at("rewrite"), operators);
}

// Others in flight must not decide by it: in ticket order they may know commits only.
TEST_F(Arms, CostWhatWasExchangedOnceTheirTicketEnds) {
    issue("a", "fuse");
    pay(2, 30);
    pay(2, -1, false);
    pay(2, 12);
    EXPECT_EQ(m_state.model_arms().at("a").priced, 0u);
    evaluate(2, 0);
    samples::require(m_state.apply(TicketCommitted{2, 0, 0, 0, 0}));
    for (const ArmStats& arm : {m_state.model_arms().at("a"), m_state.strategy_arms().at("fuse"),
                                m_state.operators().at("rewrite")}) {
        EXPECT_EQ(arm.priced, 1u);
        EXPECT_EQ(arm.nano_dollars, 42u);
    }
}

TEST_F(Arms, CostsThatAreNotKnownInFullDoNotCount) {
    issue("a", "");
    pay(2, 30);
    pay(2, -1);
    issue("a", "");
    pay(3, -1, false);
    issue("a", "");
    pay(4, 7);
    for (const std::uint64_t ticket : {2, 3, 4}) {
        samples::require(m_state.apply(TicketFailed{ticket, "no child", ticket == 4}));
    }
    EXPECT_EQ(m_state.model_arms().at("a").priced, 1u) << "paid for, fault of ours or not";
    EXPECT_EQ(m_state.model_arms().at("a").nano_dollars, 7u);
}

TEST_F(Arms, AreKeptInSnapshots) {
    issue("a", "fuse");
    issue("b", "wide");
    pay(2, 30);
    end(2, 0, 0);
    const auto again = CampaignState::decode(m_state.encode(), samples::settings());
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(again->model_arms(), m_state.model_arms());
    EXPECT_EQ(again->strategy_arms(), m_state.strategy_arms());
    EXPECT_EQ(again->in_flight().at(3).issued.model, "b");
    StateSettings other = samples::settings();
    other.model_decay = 0.5;
    EXPECT_FALSE(CampaignState::decode(m_state.encode(), other));
    other = samples::settings();
    other.strategy_decay = 0.5;
    EXPECT_FALSE(CampaignState::decode(m_state.encode(), other));
}

TEST_F(Arms, AreRefusedWithImpossibleProbabilities) {
    for (int field = 0; field < 3; ++field) {
        TicketIssued issued = samples::ticket_issued(2, 0, {}, 2);
        (field == 0   ? issued.model_probability
         : field == 1 ? issued.strategy_probability
                      : issued.step_probability) = 0;
        EXPECT_FALSE(m_state.apply(issued)) << field;
    }
}

}  // namespace
}  // namespace atl
