#include "population/campaign_state.hpp"

#include "population/byte_codec.hpp"
#include "tests/unit/population/samples.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace atl {
namespace {

IndividualId id(std::uint64_t ticket, std::uint32_t step = 0) {
    return IndividualId::make(ticket, step);
}

/// Applies and expects a refusal that changes nothing.
void expect_refused(CampaignState& state, const Event& event, const std::string& why) {
    const std::string before = samples::fingerprint(state);
    const Status status = state.apply(event);
    ASSERT_FALSE(status) << "accepted: " << why;
    EXPECT_EQ(status.error().code, ErrorCode::corrupt) << why;
    EXPECT_EQ(samples::fingerprint(state), before) << why;
}

CampaignState begun() {
    return samples::fold({samples::campaign_started(), SessionOpened{0, 0, "cpu"}});
}

/// Issues, evaluates and commits one starter.
void commit(CampaignState& state, std::uint64_t ticket, std::uint32_t island, double fitness,
            const std::string& program, double reward = 0) {
    samples::require(state.apply(samples::ticket_issued(ticket, island, {}, state.commits())));
    samples::require(
        state.apply(Evaluated{samples::individual(ticket, 0, island, fitness, program)}));
    samples::require(state.apply(TicketCommitted{ticket, reward, 0, 0, 0}));
}

TEST(CampaignState, FoldsAWholeCampaign) {
    const CampaignState state = samples::fold(samples::campaign());
    EXPECT_EQ(state.started()->task_name, "matmul");
    EXPECT_EQ(state.sessions(), 2u);
    EXPECT_EQ(state.events_applied(), samples::campaign().size());
    std::vector<std::string> order;
    for (const Individual& individual : state.individuals()) {
        order.push_back(individual.id.text());
    }
    EXPECT_EQ(order, (std::vector<std::string>{"1.0", "0.0", "2.0", "2.1", "4.0"}));
    EXPECT_EQ(state.commits(), 4u);
    EXPECT_EQ(state.next_ticket(), 6u);
    EXPECT_EQ(state.evaluations(), 4u);
    EXPECT_EQ(state.duplicates(), 1u);
    EXPECT_EQ(state.failed_tickets(), 1u);
    EXPECT_EQ(state.migrations(), 1u);
    EXPECT_EQ(state.outcomes()[0], 4u);
    EXPECT_EQ(state.elapsed_ns(), 8000);
    EXPECT_DOUBLE_EQ(state.compile_seconds(), 2.0);
    EXPECT_DOUBLE_EQ(state.device_seconds(), 1.0);
    EXPECT_EQ(state.best()->id, id(2, 1));
    EXPECT_EQ(state.last_improved_commit(), 3u);
    EXPECT_EQ(state.children_of(id(0)), 1u);  // 2.0; ticket 3 failed
    EXPECT_EQ(state.children_of(id(2)), 1u);  // 2.1, evaluated under the same ticket
    EXPECT_EQ(state.find(id(2, 1))->fitness, 2.5);
    EXPECT_EQ(state.find(id(3)), nullptr);
    EXPECT_EQ(state.find_key(content_id("key of c"))->id, id(2));
    EXPECT_EQ(state.confirmed()->individual, id(2, 1));
    EXPECT_EQ(state.confirmations().size(), 2u);
    EXPECT_FALSE(state.stopped()) << "a resumed session is open";
    ASSERT_EQ(state.in_flight().size(), 1u);
    EXPECT_EQ(state.in_flight().at(5).pending.front().id, id(5));
    // Island 1 has its starter, the migrant and its own copy of program c; island 0 began anew.
    ASSERT_EQ(state.islands()[0].archive.entries().size(), 1u);
    EXPECT_EQ(state.islands()[0].archive.best()->id, id(2, 1));
    EXPECT_EQ(state.islands()[0].reset_commit, 4u);
    EXPECT_EQ(state.resets(), 1u);
    EXPECT_EQ(state.islands()[1].archive.entries().size(), 3u);
    EXPECT_EQ(state.islands()[1].archive.best()->id, id(2, 1));
    EXPECT_EQ(state.islands()[1].last_improved_commit, 3u);
    EXPECT_EQ(state.islands()[0].issued, 3u);
    EXPECT_EQ(state.islands()[0].committed, 2u);
}

TEST(CampaignState, WhatIsTurnedDownBelongsToItsTicket) {
    CampaignState state = begun();
    commit(state, 0, 0, 1.0, "a");
    commit(state, 1, 0, 0.0, "wrong");
    samples::require(state.apply(samples::ticket_issued(2, 0, {{id(0), ParentRole::base, 1}}, 2)));
    const Individual proposal = samples::proposal(2, 0, 0, "b");
    samples::require(state.apply(TurnedDown{proposal, id(0), 0.99}));
    EXPECT_EQ(state.in_flight().at(2).turned_down.size(), 1u);
    EXPECT_EQ(state.turned_down(), 0u) << "counted when the ticket ends";
    expect_refused(state, TurnedDown{proposal, id(0), 0.99}, "a step twice");
    expect_refused(state, Evaluated{samples::individual(2, 0, 0, 1, "b")}, "a step twice");
    const auto refused = [&](const auto& change, const std::string& why) {
        TurnedDown event{samples::proposal(2, 1, 0, "c"), id(0), 0.99};
        change(event);
        expect_refused(state, event, why);
    };
    refused([](TurnedDown& e) { e.similar = id(7); }, "it resembles nobody");
    refused([](TurnedDown& e) { e.similar = id(1); }, "it resembles a wrong one");
    refused([](TurnedDown& e) { e.similarity = 1.5; }, "more than the same");
    refused([](TurnedDown& e) { e.proposal.fitness = 1; }, "measured after all");
    refused([](TurnedDown& e) { e.proposal.verdict = content_id("v"); }, "judged after all");
    refused([](TurnedDown& e) { e.proposal.island = 1; }, "another island");
    refused([](TurnedDown& e) { e.proposal.id = id(9); }, "a ticket that was not issued");
    const auto again = CampaignState::decode(state.encode(), samples::settings());
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(again->in_flight().at(2).turned_down.front().similarity, 0.99);
    expect_refused(state, TicketCommitted{2, 0, 0, 0, 0}, "nothing was evaluated");
    samples::require(state.apply(TicketFailed{2, "nothing new", false}));
    EXPECT_EQ(state.turned_down(), 1u);
    EXPECT_EQ(state.fruitless_in_row(), 1u);
    EXPECT_EQ(state.find(proposal.id), nullptr);
}

TEST(CampaignState, RightIndividualsCarryWhatTheirArchiveLooksAt) {
    StateSettings settings = samples::settings();
    settings.archive.kind = "grid";
    settings.archive.axes = {"time 0 100 10", "error 0 1 2"};
    CampaignState state(settings);
    samples::require(state.apply(samples::campaign_started()));
    samples::require(state.apply(samples::ticket_issued(0, 0)));
    Individual one = samples::individual(0, 0, 0, 1.0, "a");
    expect_refused(state, Evaluated{one}, "no measures");
    one.measures = {5, 0.5};
    Individual wrong = samples::individual(0, 1, 0, 0, "b");
    wrong.measures = {5, 0.5};
    expect_refused(state, Evaluated{wrong}, "a wrong one has none");
    wrong.measures.clear();
    samples::require(state.apply(Evaluated{one}));
    samples::require(state.apply(Evaluated{wrong}));
    samples::require(state.apply(TicketCommitted{0, 0, 0, 0, 0}));
    EXPECT_EQ(state.islands()[0].archive.best()->measures, one.measures);
    const auto again = CampaignState::decode(state.encode(), settings);
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(again->encode(), state.encode());
    EXPECT_EQ(again->islands()[0].archive.best()->measures, one.measures);
    StateSettings other = settings;
    other.archive.axes = {"time 0 100 20", "error 0 1 2"};
    EXPECT_EQ(CampaignState::decode(state.encode(), other).error().code,
              ErrorCode::invalid_argument);
    expect_refused(state, Evaluated{one}, "of a ticket that has ended");
}

// A visit counts from the dispatch of a ticket on, and not any more when nothing right came of it.
TEST(CampaignState, VisitsOfFailuresAreRolledBack) {
    CampaignState state = begun();
    commit(state, 0, 0, 1.0, "a");
    commit(state, 1, 0, 1.0, "b");
    const auto issue = [&](std::uint64_t ticket) {
        samples::require(state.apply(samples::ticket_issued(
            ticket, 0, {{id(1), ParentRole::partner, 1}, {id(0), ParentRole::base, 1}}, 2)));
    };
    for (std::uint64_t ticket = 2; ticket < 7; ++ticket) {
        issue(ticket);
    }
    EXPECT_EQ(state.visits_of(id(0)), 5u);
    EXPECT_EQ(state.visits_of(id(1)), 0u) << "a partner is not visited";
    samples::require(state.apply(Evaluated{samples::individual(2, 0, 0, 0, "wrong")}));
    samples::require(state.apply(Evaluated{samples::individual(2, 1, 0, 0.5, "right")}));
    samples::require(state.apply(TicketCommitted{2, 0, 0, 0, 0}));
    EXPECT_EQ(state.visits_of(id(0)), 5u) << "something right came of it";
    samples::require(state.apply(Evaluated{samples::individual(3, 0, 0, 0, "worse")}));
    samples::require(state.apply(TicketCommitted{3, 0, 0, 0, 0}));
    EXPECT_EQ(state.visits_of(id(0)), 4u) << "its children are wrong";
    samples::require(state.apply(TicketFailed{4, "a worker died", true}));
    EXPECT_EQ(state.visits_of(id(0)), 3u) << "a fault of ours";
    samples::require(state.apply(TicketFailed{5, "nothing to try", false}));
    EXPECT_EQ(state.visits_of(id(0)), 3u) << "there is nothing more to find here";
    const auto again = CampaignState::decode(state.encode(), samples::settings());
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(again->visits_of(id(0)), 3u);
    EXPECT_EQ(again->encode(), state.encode());
}

TEST(CampaignState, SessionsEndAndOpen) {
    CampaignState state = begun();
    samples::require(state.apply(CampaignStopped{"target reached", true, 5}));
    EXPECT_EQ(state.stopped()->reason, "target reached");
    expect_refused(state, SessionOpened{0, 0, ""}, "a session number again");
    samples::require(state.apply(SessionOpened{1, 0, ""}));
    EXPECT_FALSE(state.stopped());
}

TEST(CampaignState, TheLimitsOfASessionHoldUntilAnotherSaysMore) {
    CampaignState state = begun();
    EXPECT_EQ(state.limits(), (SessionLimits{-1, -1}));
    samples::require(state.apply(SessionOpened{1, 0, "", {6, 0}}));
    EXPECT_EQ(state.limits(), (SessionLimits{6, 0}));
    samples::require(state.apply(SessionOpened{2, 0, ""}));
    EXPECT_EQ(state.limits(), (SessionLimits{6, 0}));
    samples::require(state.apply(SessionOpened{3, 0, "", {100'000, -1}}));
    EXPECT_EQ(state.limits(), (SessionLimits{100'000, 0}));
    expect_refused(state, SessionOpened{4, 0, "", {-2, 0}}, "a negative budget");
    expect_refused(state, SessionOpened{4, 0, "", {0, -0.5}}, "a negative time");
    const auto again = CampaignState::decode(state.encode(), samples::settings());
    EXPECT_EQ(again->limits(), state.limits());
}

TEST(CampaignState, CountsStalenessFromTheDecisionToTheCommit) {
    CampaignState state = begun();
    commit(state, 0, 0, 1.0, "a");
    samples::require(state.apply(samples::ticket_issued(1, 0, {{id(0), ParentRole::base, 1}}, 1)));
    commit(state, 2, 1, 1.0, "b");
    commit(state, 3, 1, 1.0, "c");
    samples::require(state.apply(Evaluated{samples::individual(1, 0, 0, 2.0, "d")}));
    samples::require(state.apply(TicketCommitted{1, 0, 0, 0, 0}));
    EXPECT_EQ(state.find(id(0))->staleness, 0u);
    EXPECT_EQ(state.find(id(1))->staleness, 2u);
}

TEST(CampaignState, OffersOnlyRightIndividualsAndEachProgramOnce) {
    CampaignState state = begun();
    commit(state, 0, 0, 1.0, "a");
    commit(state, 1, 0, 0.0, "wrong");
    commit(state, 2, 0, 1.0, "a");
    EXPECT_EQ(state.islands()[0].archive.entries().size(), 1u);
    EXPECT_EQ(state.individuals().size(), 3u);
    EXPECT_EQ(state.outcomes()[static_cast<int>(Outcome::wrong_result)], 1u);
    // Another island begins with the same program.
    commit(state, 3, 1, 1.0, "a");
    EXPECT_EQ(state.islands()[1].archive.entries().size(), 1u);
}

TEST(CampaignState, PutsStepsInOrderHoweverTheyArrive) {
    CampaignState state = begun();
    samples::require(state.apply(samples::ticket_issued(0, 0)));
    for (const std::uint32_t step : {2u, 0u, 1u}) {
        samples::require(state.apply(
            Evaluated{samples::individual(0, step, 0, 1.0 + step, "p" + std::to_string(step))}));
    }
    samples::require(state.apply(TicketCommitted{0, 0, 0, 0, 0}));
    for (std::uint32_t step = 0; step < 3; ++step) {
        EXPECT_EQ(state.individuals()[step].id.step(), step);
    }
    EXPECT_EQ(state.commits(), 1u);
}

TEST(CampaignState, AFailedTicketCountsItsEvaluationsOnly) {
    CampaignState state = begun();
    samples::require(state.apply(samples::ticket_issued(0, 0)));
    samples::require(state.apply(Evaluated{samples::individual(0, 0, 0, 1.0, "a")}));
    samples::require(state.apply(TicketFailed{0, "no worker"}));
    EXPECT_EQ(state.evaluations(), 1u);
    EXPECT_EQ(state.failed_tickets(), 1u);
    EXPECT_TRUE(state.individuals().empty());
    EXPECT_TRUE(state.in_flight().empty());
    EXPECT_EQ(state.commits(), 0u);
}

TEST(CampaignState, AFruitlessTicketIsARewardOfZeroAndAFaultIsNone) {
    CampaignState state = begun();
    commit(state, 0, 0, 1.0, "a", 0.5);
    const ArmStats before = state.operators().at("starter");
    samples::require(state.apply(samples::ticket_issued(1, 0)));
    samples::require(state.apply(TicketFailed{1, "no worker", true}));
    EXPECT_EQ(state.operators().at("starter").decayed_count, before.decayed_count);
    EXPECT_EQ(state.operators().at("starter").decayed_reward, before.decayed_reward);
    samples::require(state.apply(samples::ticket_issued(2, 0)));
    samples::require(state.apply(TicketFailed{2, "nothing new"}));
    const ArmStats& after = state.operators().at("starter");
    EXPECT_DOUBLE_EQ(after.decayed_count, 0.9 * before.decayed_count + 1);
    EXPECT_DOUBLE_EQ(after.decayed_reward, 0.9 * before.decayed_reward);
    EXPECT_EQ(after.reward_sum, 0.5);
    EXPECT_EQ(after.committed, 1u);
    EXPECT_EQ(after.improved, 1u);
}

TEST(CampaignState, CountsTicketsThatFailInARow) {
    CampaignState state = begun();
    std::uint64_t ticket = 0;
    const auto fail = [&](bool fault) {
        samples::require(state.apply(samples::ticket_issued(ticket, 0)));
        samples::require(state.apply(TicketFailed{ticket++, "", fault}));
    };
    fail(false);
    fail(false);
    EXPECT_EQ(state.fruitless_in_row(), 2u);
    EXPECT_EQ(state.faults_in_row(), 0u);
    fail(true);
    EXPECT_EQ(state.fruitless_in_row(), 0u);
    EXPECT_EQ(state.faults_in_row(), 1u);
    const auto again = CampaignState::decode(state.encode(), samples::settings());
    EXPECT_EQ(again->faults_in_row(), 1u);
    fail(false);
    EXPECT_EQ(state.faults_in_row(), 0u);
    commit(state, ticket++, 0, 1.0, "a");
    EXPECT_EQ(state.fruitless_in_row(), 0u);
}

TEST(CampaignState, KeepsTheStatisticsOfOperators) {
    CampaignState state = begun();
    commit(state, 0, 0, 1.0, "a", 0.0);
    samples::require(state.apply(samples::ticket_issued(1, 0, {{id(0), ParentRole::base, 1}}, 1)));
    samples::require(state.apply(Evaluated{samples::individual(1, 0, 0, 2.0, "b")}));
    samples::require(state.apply(TicketCommitted{1, 0.5, 0, 0, 0}));
    commit(state, 2, 1, 1.0, "c", 0.0);
    samples::require(state.apply(samples::ticket_issued(3, 1)));
    const ArmStats& tune = state.operators().at("tune");
    EXPECT_EQ(tune.issued, 1u);
    EXPECT_EQ(tune.committed, 1u);
    EXPECT_EQ(tune.improved, 1u);
    EXPECT_EQ(tune.reward_sum, 0.5);
    EXPECT_DOUBLE_EQ(tune.decayed_reward, 0.5 * 0.9);
    EXPECT_DOUBLE_EQ(tune.decayed_count, 0.9);
    const ArmStats& starter = state.operators().at("starter");
    EXPECT_EQ(starter.issued, 3u);
    EXPECT_EQ(starter.committed, 2u);
    EXPECT_EQ(starter.improved, 0u);
    EXPECT_DOUBLE_EQ(starter.decayed_count, 0.9 * 0.9 + 1);
}

TEST(CampaignState, TheBestIsTheFittestThenTheLowerId) {
    CampaignState state = begun();
    EXPECT_EQ(state.best(), nullptr);
    samples::require(state.apply(samples::ticket_issued(0, 0)));
    commit(state, 1, 1, 2.0, "b");
    samples::require(state.apply(Evaluated{samples::individual(0, 0, 0, 2.0, "a")}));
    samples::require(state.apply(TicketCommitted{0, 0, 0, 0, 0}));
    EXPECT_EQ(state.best()->id, id(0));
    EXPECT_EQ(state.last_improved_commit(), 1u) << "an equal one is no improvement";
}

TEST(CampaignState, KnowsWhatWasEvaluatedAgain) {
    CampaignState state = begun();
    commit(state, 0, 0, 2.0, "a");
    commit(state, 1, 0, 2.0, "b");
    commit(state, 2, 1, 3.0, "a");
    samples::require(state.apply(samples::ticket_issued(3, 0)));
    Individual duplicate = samples::individual(3, 0, 0, 2.0, "a");
    duplicate.duplicate = true;
    samples::require(state.apply(Evaluated{duplicate}));
    samples::require(state.apply(TicketCommitted{3, 0, 0, 0, 0}));
    const auto decoded = CampaignState::decode(state.encode(), samples::settings());
    ASSERT_TRUE(decoded) << decoded.error().message();
    for (const CampaignState* one :
         std::initializer_list<const CampaignState*>{&state, &*decoded}) {
        EXPECT_EQ(one->find_key(duplicate.key)->id, id(0));
        const auto again = one->evaluated_again(duplicate.key);
        ASSERT_EQ(again.size(), 1u);
        EXPECT_EQ(one->individuals()[again[0]].id, id(2));
        EXPECT_TRUE(one->evaluated_again(content_id("key of b")).empty());
    }
}

TEST(CampaignState, OnlyAcceptedConfirmationsCount) {
    CampaignState state = begun();
    commit(state, 0, 0, 2.0, "a");
    commit(state, 1, 0, 3.0, "b");
    samples::require(state.apply(Confirmed{id(0), true, 1.9, {}, 0, Outcome::passed, {}, 1}));
    samples::require(
        state.apply(Confirmed{id(1), false, 0, id(0), 1.9, Outcome::wrong_result, {}, 2}));
    EXPECT_EQ(state.confirmed()->individual, id(0));
    EXPECT_FALSE(state.confirmations().at(id(1)).accepted);
}

// A final confirmation may find that what was confirmed during the search is wrong.
TEST(CampaignState, ARefutedBestGivesWayToTheLatestThatStillStands) {
    CampaignState state = begun();
    commit(state, 0, 0, 2.0, "a");
    commit(state, 1, 0, 3.0, "b");
    commit(state, 2, 0, 4.0, "c");
    const auto confirm = [&state](IndividualId who, bool accepted, std::int64_t at_ns) {
        const Outcome outcome = accepted ? Outcome::passed : Outcome::inconsistent;
        samples::require(state.apply(Confirmed{who, accepted, 1, {}, 0, outcome, {}, at_ns}));
        const auto again = CampaignState::decode(state.encode(), samples::settings());
        ASSERT_TRUE(again) << again.error().message();
        EXPECT_EQ(samples::fingerprint(*again), samples::fingerprint(state));
    };
    confirm(id(1), true, 1);
    confirm(id(0), true, 2);
    confirm(id(2), true, 3);
    confirm(id(1), false, 4);
    EXPECT_EQ(state.confirmed()->individual, id(2)) << "another was refuted";
    confirm(id(2), false, 5);
    ASSERT_TRUE(state.confirmed());
    EXPECT_EQ(state.confirmed()->individual, id(0));
    EXPECT_EQ(state.confirmed()->at_ns, 2);
    confirm(id(0), false, 6);
    EXPECT_FALSE(state.confirmed());
    confirm(id(1), true, 7);
    EXPECT_EQ(state.confirmed()->individual, id(1));
}

// Snapshots of versions that kept a refuted best: the journal tells better.
TEST(CampaignState, BytesWithARefutedBestAreRefused) {
    CampaignState state = begun();
    commit(state, 0, 0, 2.0, "a");
    samples::require(state.apply(Confirmed{id(0), true, 1.9, {}, 0, Outcome::passed, {}, 1}));
    std::string bytes = state.encode();
    ByteWriter accepted;
    accepted.u64(id(0).value);
    accepted.boolean(true);
    accepted.f64(1.9);
    const std::size_t first = bytes.find(accepted.bytes());
    ASSERT_NE(first, bytes.rfind(accepted.bytes()));
    bytes[first + 8] = 0;
    const auto again = CampaignState::decode(bytes, samples::settings());
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::corrupt);
}

TEST(CampaignState, RefusesEventsThatCannotFollow) {
    CampaignState empty(samples::settings());
    expect_refused(empty, SessionOpened{}, "anything before the start");

    CampaignState state = begun();
    expect_refused(state, samples::campaign_started(), "a second start");
    expect_refused(state, SessionOpened{2, 0, ""}, "a session too far");
    expect_refused(state, samples::ticket_issued(1, 0), "a gap in the tickets");
    expect_refused(state, samples::ticket_issued(0, 2), "an island that does not exist");
    expect_refused(state, samples::ticket_issued(0, 0, {{id(9), ParentRole::base, 1}}),
                   "an unknown parent");
    expect_refused(state, samples::ticket_issued(0, 0, {}, 1), "commits that did not happen");
    TicketIssued certain = samples::ticket_issued(0, 0);
    for (const double wrong : {0.0, -0.5, 1.5}) {
        certain.island_probability = wrong;
        expect_refused(state, certain, "an impossible probability");
    }
    expect_refused(state, Evaluated{samples::individual(0, 0, 0, 1, "a")},
                   "an evaluation without a ticket");
    expect_refused(state, TicketCommitted{0, 0, 0, 0, 0}, "a commit without a ticket");
    expect_refused(state, TicketFailed{0, ""}, "a failure without a ticket");

    samples::require(state.apply(samples::ticket_issued(0, 0)));
    expect_refused(state, samples::ticket_issued(0, 0), "a ticket again");
    expect_refused(state, TicketCommitted{0, 0, 0, 0, 0}, "a commit without an evaluation");
    expect_refused(state, Evaluated{samples::individual(0, 0, 1, 1, "a")}, "another island");
    Individual odd = samples::individual(0, 0, 0, 1, "a");
    odd.outcome = Outcome::crash;
    expect_refused(state, Evaluated{odd}, "a crash with a fitness");
    odd = samples::individual(0, 0, 0, 1, "a");
    odd.fitness = -1;
    expect_refused(state, Evaluated{odd}, "a negative fitness");
    odd.fitness = std::numeric_limits<double>::infinity();
    expect_refused(state, Evaluated{odd}, "an infinite fitness");
    odd = samples::individual(0, 0, 0, 1, "a");
    odd.parents = {{id(0), ParentRole::base, 1}};
    expect_refused(state, Evaluated{odd}, "an individual that is its own parent");
    samples::require(state.apply(Evaluated{samples::individual(0, 0, 0, 1, "a")}));
    expect_refused(state, Evaluated{samples::individual(0, 0, 0, 1, "b")}, "a step again");
    expect_refused(state, TicketCommitted{0, 0, 0, -1, 0}, "a negative cost");
    expect_refused(state, samples::ticket_issued(1, 0, {{id(0), ParentRole::base, 1}}),
                   "a parent that is not committed");
    samples::require(state.apply(TicketCommitted{0, 0, 0, 0, 0}));
    expect_refused(state, TicketCommitted{0, 0, 0, 0, 0}, "a second commit");
    expect_refused(state, Evaluated{samples::individual(0, 1, 0, 1, "b")},
                   "an evaluation after the commit");

    expect_refused(state, Migrated{id(7), 0, 1, 1, 1}, "an unknown migrant");
    expect_refused(state, Migrated{id(0), 0, 2, 1, 1}, "a migration to nowhere");
    expect_refused(state, Migrated{id(0), 0, 0, 1, 1}, "a migration to its own island");
    expect_refused(state, Migrated{id(0), 0, 1, 1, 2}, "a migration from the future");
    commit(state, 1, 0, 0, "wrong");
    expect_refused(state, Migrated{id(1), 0, 1, 1, 1}, "a migrant that is wrong");
    expect_refused(state, Confirmed{id(8), true, 1, {}, 0, Outcome::passed, {}, 0},
                   "the confirmation of nobody");
    expect_refused(state, Confirmed{id(0), true, 1, id(8), 1, Outcome::passed, {}, 0},
                   "an unknown rival");
    expect_refused(state, Confirmed{id(0), true, -1, {}, 0, Outcome::passed, {}, 0},
                   "a negative fitness");
}

TEST(CampaignState, WhatAModelWasShownHasNoChildOfIt) {
    CampaignState state = samples::fold(samples::campaign(), 8);  // 0.0 and 1.0 are committed
    samples::require(state.apply(samples::ticket_issued(2, 0,
                                                        {{id(0), ParentRole::base, 1},
                                                         {id(1), ParentRole::inspiration, 0.5},
                                                         {id(1), ParentRole::exemplar, 0.25}},
                                                        2)));
    Individual child = samples::individual(2, 0, 0, 2.0, "c");
    child.parents = state.in_flight().at(2).issued.parents;
    samples::require(state.apply(Evaluated{child}));
    samples::require(state.apply(TicketCommitted{2, 0, 0, 0, 0}));
    EXPECT_EQ(state.children_of(id(0)), 1u);
    EXPECT_EQ(state.children_of(id(1)), 0u);
}

TEST(CampaignState, KeepsTheLastInsights) {
    CampaignState state = samples::fold(samples::campaign(), 3);
    expect_refused(state, InsightNoted{1, "m", {}, {}, {}, 0}, "an insight from the future");
    state = samples::fold(samples::campaign(), 8);
    expect_refused(state, InsightNoted{0, "m", {}, {}, {}, 0}, "an insight before any commit");
    samples::require(state.apply(InsightNoted{1, "m", {}, content_id("r"), {"one"}, 4000}));
    EXPECT_EQ(state.elapsed_ns(), 4000);
    expect_refused(state, InsightNoted{1, "m", {}, {}, {}, 0}, "an insight again");
    for (std::uint64_t ticket = 2; ticket < 9; ++ticket) {
        commit(state, ticket, 0, 1, "p" + std::to_string(ticket));
        samples::require(state.apply(InsightNoted{ticket, "m", {}, {}, {}, 0}));
    }
    ASSERT_EQ(state.insights().size(), CampaignState::k_kept_insights);
    EXPECT_EQ(state.insights().front().after_commit, 5u);
    EXPECT_EQ(state.insights().back().after_commit, 8u);
}

}  // namespace
}  // namespace atl
