#include "population/reset.hpp"

#include "population/migration.hpp"
#include "tests/unit/population/samples.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

namespace atl {
namespace {

CampaignState state_of(std::uint32_t islands) {
    CampaignState state({islands, {"ranked", 4, 0.0}, 0.9});
    samples::require(state.apply(samples::campaign_started()));
    return state;
}

void issue(CampaignState& state, std::uint32_t island) {
    samples::require(
        state.apply(samples::ticket_issued(state.next_ticket(), island, {}, state.commits())));
}

void commit(CampaignState& state, std::uint64_t ticket, double fitness) {
    const std::uint32_t island = state.in_flight().at(ticket).issued.island;
    samples::require(state.apply(
        Evaluated{samples::individual(ticket, 0, island, fitness, "p" + std::to_string(ticket))}));
    samples::require(state.apply(TicketCommitted{ticket, 0, 0, 0, 0}));
}

/// An individual of that fitness on each island.
CampaignState with_fitness(const std::vector<double>& fitness) {
    CampaignState state = state_of(static_cast<std::uint32_t>(fitness.size()));
    for (std::size_t i = 0; i < fitness.size(); ++i) {
        issue(state, static_cast<std::uint32_t>(i));
        commit(state, i, fitness[i]);
    }
    return state;
}

std::set<std::uint32_t> emptied(const IslandsReset& reset) {
    std::set<std::uint32_t> islands;
    for (const auto& founding : reset.foundings) {
        islands.insert(founding.island);
    }
    return islands;
}

// As FunSearch's reset_islands(): of five islands the two worst (5 // 2) are emptied, and each is
// founded with the best program of one of the three that stay.
TEST(Reset, TheWorstHalfBeginsAnew) {
    const CampaignState state = with_fitness({3, 1, 5, 2, 4});
    const auto reset = due_reset(state, {5, 0.5}, 7);
    ASSERT_TRUE(reset);
    EXPECT_EQ(reset->after_commit, 5u);
    EXPECT_EQ(emptied(*reset), (std::set<std::uint32_t>{1, 3}));
    for (const auto& founding : reset->foundings) {
        EXPECT_FALSE(emptied(*reset).contains(founding.from));
        EXPECT_EQ(founding.founder, state.islands()[founding.from].archive.best()->id);
        EXPECT_DOUBLE_EQ(founding.probability, 1.0 / 3);
    }
}

TEST(Reset, IsDueAfterEachPeriodOnce) {
    CampaignState state = with_fitness({3, 1});
    EXPECT_FALSE(due_reset(state, {0, 0.5}, 7)) << "never";
    EXPECT_FALSE(due_reset(state, {3, 0.5}, 7)) << "not yet";
    EXPECT_FALSE(due_reset(state, {2, 0.4}, 7)) << "less than one island";
    const auto reset = due_reset(state, {2, 0.5}, 7);
    ASSERT_TRUE(reset);
    samples::require(state.apply(*reset));
    EXPECT_FALSE(due_reset(state, {2, 0.5}, 7)) << "done";
    EXPECT_TRUE(due_migrations(state, make_topology("full", 2, 1), {1, 1, "best", 4}, 7).empty())
        << "migrations come before it";
}

TEST(Reset, NotWhileIslandsBegin) {
    CampaignState state = state_of(2);
    issue(state, 0);
    Individual starter = samples::individual(0, 0, 0, 1.0, "a");
    starter.operator_name = "starter";
    samples::require(state.apply(Evaluated{starter}));
    samples::require(state.apply(TicketCommitted{0, 0, 0, 0, 0}));
    EXPECT_FALSE(due_reset(state, {1, 0.5}, 7));
}

TEST(Reset, EveryIslandThatStaysMayFound) {
    const CampaignState state = with_fitness({3, 1, 5, 2});
    std::set<std::uint32_t> founders;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        const auto reset = due_reset(state, {4, 0.5}, seed);
        ASSERT_TRUE(reset);
        for (const auto& founding : reset->foundings) {
            founders.insert(founding.from);
        }
    }
    EXPECT_EQ(founders, (std::set<std::uint32_t>{0, 2}));
}

// What FunSearch warns of: results that were asked for before the reset come after it.
TEST(Reset, LateResultsDoNotBringBackWhatWasGivenUp) {
    CampaignState state = state_of(2);
    issue(state, 0);
    commit(state, 0, 5);
    issue(state, 1);
    issue(state, 1);
    issue(state, 1);
    commit(state, 1, 1);
    samples::require(state.apply(*due_reset(state, {2, 0.5}, 7)));
    EXPECT_EQ(state.islands()[1].archive.entries().size(), 1u);
    commit(state, 2, 3);
    EXPECT_EQ(state.islands()[1].archive.entries().size(), 1u) << "weaker than the founder";
    EXPECT_NE(state.find(IndividualId::make(2, 0)), nullptr) << "recorded all the same";
    commit(state, 3, 9);
    EXPECT_EQ(state.islands()[1].archive.best()->fitness, 9) << "the best is never lost";
    issue(state, 1);
    commit(state, 4, 2);
    EXPECT_EQ(state.islands()[1].archive.entries().size(), 3u) << "issued after the reset";
}

TEST(Reset, WhatCannotFollowIsRefused) {
    CampaignState state = with_fitness({5, 1, 2});
    const IslandsReset sound{3, {{1, 0, IndividualId::make(0, 0), 0.5}}};
    const auto refused = [&](const auto& change) {
        IslandsReset event = sound;
        change(event);
        CampaignState copy = state;
        const bool failed = !copy.apply(event);
        return failed && copy.encode() == state.encode();
    };
    EXPECT_TRUE(refused([](IslandsReset& e) { e.foundings.clear(); }));
    EXPECT_TRUE(refused([](IslandsReset& e) { e.after_commit = 2; }));
    EXPECT_TRUE(refused([](IslandsReset& e) { e.foundings[0].island = 3; }));
    EXPECT_TRUE(refused([](IslandsReset& e) { e.foundings[0].from = 3; }));
    EXPECT_TRUE(refused([](IslandsReset& e) { e.foundings[0].from = 1; }));
    EXPECT_TRUE(refused([](IslandsReset& e) { e.foundings[0].from = 2; })) << "no member there";
    EXPECT_TRUE(refused([](IslandsReset& e) { e.foundings[0].probability = 0; }));
    EXPECT_TRUE(refused([](IslandsReset& e) { e.foundings.push_back(e.foundings[0]); }));
    EXPECT_TRUE(refused([](IslandsReset& e) {
        e.foundings.push_back({0, 2, IndividualId::make(2, 0), 1});
    })) << "a founder's island is emptied";
    samples::require(state.apply(sound));
    EXPECT_FALSE(state.apply(sound)) << "twice after one commit";
}

// Whatever happened on the islands: the campaign's best is a member of an island afterwards, every
// island that was emptied holds its founder alone, and the others are untouched.
RC_GTEST_PROP(Reset, TheBestIsNeverLost, ()) {
    const auto islands = *rc::gen::inRange<std::uint32_t>(1, 7);
    const auto history = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::pair<int, int>>>(
        rc::gen::pair(rc::gen::inRange(0, 100), rc::gen::inRange(0, 6))));
    CampaignState state = state_of(islands);
    for (const auto& [island, fitness] : history) {
        issue(state, static_cast<std::uint32_t>(island) % islands);
        commit(state, state.next_ticket() - 1, fitness);
    }
    const double share = *rc::gen::element(0.0, 0.3, 0.5, 1.0);
    const CampaignState before = state;
    const auto reset = due_reset(state, {1, share}, *rc::gen::arbitrary<std::uint64_t>());
    const auto most = std::min<std::size_t>(static_cast<std::size_t>(share * islands), islands - 1);
    RC_ASSERT(!reset || reset->foundings.size() == most);
    if (!reset) {
        RC_ASSERT(most == 0 || state.best() == nullptr);
        return;
    }
    RC_ASSERT(state.apply(*reset).has_value());
    double best = 0;
    for (std::uint32_t i = 0; i < islands; ++i) {
        const Archive& archive = state.islands()[i].archive;
        best = std::max(best, archive.best() == nullptr ? 0 : archive.best()->fitness);
        if (emptied(*reset).contains(i)) {
            RC_ASSERT(archive.entries().size() == 1u);
        } else {
            RC_ASSERT(archive.entries().size() == before.islands()[i].archive.entries().size());
        }
    }
    RC_ASSERT(best == state.best()->fitness);
    const auto again = CampaignState::decode(state.encode(), state.settings());
    RC_ASSERT(again.has_value());
    RC_ASSERT(again->encode() == state.encode());
}

}  // namespace
}  // namespace atl
