// Islands that are added while a campaign runs, and looks at whether it still gets anywhere.

#include "population/spawn.hpp"

#include "population/migration.hpp"
#include "population/reheat.hpp"
#include "population/reset.hpp"
#include "tests/unit/population/samples.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace atl {
namespace {

IndividualId id(std::uint64_t ticket) {
    return IndividualId::make(ticket, 0);
}

/// A campaign of so many islands, each with a starter.
class Growing {
  public:
    explicit Growing(const std::vector<double>& starters)
        : state({static_cast<std::uint32_t>(starters.size()), {"ranked", 4, 0.0}, 0.9}) {
        samples::require(state.apply(samples::campaign_started()));
        for (std::size_t i = 0; i < starters.size(); ++i) {
            add(static_cast<std::uint32_t>(i), starters[i], "starter");
        }
    }

    void add(std::uint32_t island, double fitness, const std::string& operator_name = "tune") {
        const std::uint64_t ticket = state.next_ticket();
        samples::require(state.apply(samples::ticket_issued(ticket, island, {}, state.commits())));
        Individual made =
            samples::individual(ticket, 0, island, fitness, "p" + std::to_string(ticket));
        made.operator_name = operator_name;
        samples::require(state.apply(Evaluated{made}));
        samples::require(state.apply(TicketCommitted{ticket, 0, 0, 0, 0}));
    }

    CampaignState state;
};

TEST(Spawn, AnIslandIsAddedWhenTheBestHasNotRisenForSoLong) {
    Growing growing({1, 2});
    const SpawnSettings settings{"best", 3, 8};
    for (int i = 0; i < 2; ++i) {
        growing.add(0, 1.5);
        EXPECT_FALSE(due_spawn(growing.state, settings, 7)) << i;
    }
    growing.add(1, 3.0);  // the best rises: the count begins again
    for (int i = 0; i < 2; ++i) {
        growing.add(0, 1.5);
        EXPECT_FALSE(due_spawn(growing.state, settings, 7)) << i;
    }
    growing.add(0, 1.5);
    const auto spawned = due_spawn(growing.state, settings, 7);
    ASSERT_TRUE(spawned);
    EXPECT_EQ(spawned->after_commit, 8u);
    EXPECT_EQ(spawned->island, 2u);
    EXPECT_EQ(spawned->founder, id(4));
    EXPECT_EQ(spawned->probability, 1);
    samples::require(growing.state.apply(*spawned));
    EXPECT_FALSE(due_spawn(growing.state, settings, 7)) << "it was recorded";
    ASSERT_EQ(growing.state.islands().size(), 3u);
    EXPECT_EQ(growing.state.islands()[2].archive.best()->id, id(4));
    // From then on, again.
    growing.add(2, 1.5);
    growing.add(2, 1.6);
    EXPECT_FALSE(due_spawn(growing.state, settings, 7));
    growing.add(2, 1.7);
    EXPECT_TRUE(due_spawn(growing.state, settings, 7));
}

TEST(Spawn, NoneIsAddedBeyondTheMostOrWithNoFounderAsked) {
    Growing growing({1, 2});
    for (int i = 0; i < 20; ++i) {
        growing.add(0, 0.5);
    }
    EXPECT_FALSE(due_spawn(growing.state, {"none", 3, 8}, 7));
    EXPECT_FALSE(due_spawn(growing.state, {"best", 3, 2}, 7));
    EXPECT_TRUE(due_spawn(growing.state, {"best", 3, 3}, 7));
}

TEST(Spawn, FoundersAreAllAlikeAndTheirProbabilityIsSaid) {
    Growing growing({1, 2, 1.5});
    for (int i = 0; i < 5; ++i) {
        growing.add(0, 0.5 + 0.1 * i);
    }
    std::set<IndividualId> starters;
    std::set<IndividualId> members;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const auto starter = due_spawn(growing.state, {"starter", 1, 8}, seed);
        ASSERT_TRUE(starter);
        EXPECT_EQ(starter->probability, 1.0 / 3);
        starters.insert(starter->founder);
        const auto member = due_spawn(growing.state, {"random", 1, 8}, seed);
        ASSERT_TRUE(member);
        members.insert(member->founder);
        EXPECT_EQ(member->probability, 1.0 / 6) << "four on island 0 and one on each other";
    }
    EXPECT_EQ(starters, (std::set<IndividualId>{id(0), id(1), id(2)}));
    EXPECT_EQ(members.size(), 6u);
}

// One that would take all tickets until it has caught up would starve the others.
TEST(Spawn, ANewIslandTakesTurnsWithTheOthers) {
    Growing growing({1, 2});
    for (int i = 0; i < 9; ++i) {
        growing.add(0, 0.5);
        growing.add(1, 0.5);
    }
    growing.add(1, 0.5);
    samples::require(growing.state.apply(*due_spawn(growing.state, {"best", 3, 8}, 7)));
    EXPECT_EQ(growing.state.islands()[0].turns(), 10u);
    EXPECT_EQ(growing.state.islands()[1].turns(), 11u);
    EXPECT_EQ(growing.state.islands()[2].turns(), 10u);
    EXPECT_EQ(growing.state.islands()[2].issued, 0u);
    growing.add(2, 0.5);
    EXPECT_EQ(growing.state.islands()[2].turns(), 11u);
}

TEST(Spawn, WhatCannotFollowIsRefused) {
    Growing growing({1, 0});
    growing.add(0, 0.5);
    const IslandSpawned sound{3, 2, id(0), 0.5};
    const auto refused = [&](auto change) {
        IslandSpawned event = sound;
        change(event);
        CampaignState copy = growing.state;
        const std::string before = copy.encode();
        return !copy.apply(event) && copy.encode() == before;
    };
    EXPECT_TRUE(refused([](IslandSpawned& e) { e.after_commit = 2; }));
    EXPECT_TRUE(refused([](IslandSpawned& e) { e.island = 1; }));
    EXPECT_TRUE(refused([](IslandSpawned& e) { e.island = 3; }));
    EXPECT_TRUE(refused([](IslandSpawned& e) { e.founder = id(9); }));
    EXPECT_TRUE(refused([](IslandSpawned& e) { e.founder = id(1); })) << "it is wrong";
    EXPECT_TRUE(refused([](IslandSpawned& e) { e.probability = 0; }));
    samples::require(growing.state.apply(sound));
    EXPECT_FALSE(growing.state.apply(IslandSpawned{3, 3, id(0), 0.5})) << "twice after one commit";
}

// ---- progress

TEST(Reheat, DiversityIsTheMeanDistanceOfNeighboursInTheRanking) {
    Growing growing({1, 2});
    EXPECT_EQ(diversity_of(growing.state), 0);
    growing.add(0, 1.5);
    // Of the samples' features starter, two flags and BLOCK are common, source and UNROLL are not:
    // 4 of 8 in all.
    EXPECT_DOUBLE_EQ(diversity_of(growing.state), 0.5);
    growing.add(0, 1.7);
    EXPECT_DOUBLE_EQ(diversity_of(growing.state), 0.5);
}

TEST(Reheat, TheSearchIsHeatedAfterSoManyLooksThatSawNothingAndCoolsAgain) {
    Growing growing({1, 2});
    const ReheatSettings settings{2, 0.02, 0.05, 2, 1.5, 2.0, 0.5};
    std::vector<double> heats;
    std::vector<std::uint32_t> still;
    const auto look_after = [&](double fitness) {
        growing.add(0, fitness);
        EXPECT_FALSE(due_watch(growing.state, settings)) << "every second commit";
        growing.add(0, 0.1);
        const auto look = due_watch(growing.state, settings);
        ASSERT_TRUE(look);
        EXPECT_EQ(look->after_commit, growing.state.commits());
        samples::require(growing.state.apply(*look));
        EXPECT_FALSE(due_watch(growing.state, settings)) << "it was recorded";
        heats.push_back(growing.state.heat());
        still.push_back(look->still);
    };
    look_after(0.5);   // nothing to compare with
    look_after(0.5);   // still: 1
    look_after(0.5);   // still: 2, heated to 1.5
    look_after(0.5);   // cools to 1.25
    look_after(0.5);   // heated by 1.5
    look_after(2.02);  // 1 % is no gain: cools
    look_after(2.5);   // gain: cools, and the count begins again
    EXPECT_EQ(still, (std::vector<std::uint32_t>{0, 1, 0, 1, 0, 1, 0}));
    EXPECT_EQ(heats, (std::vector<double>{1, 1, 1.5, 1.25, 1.875, 1.4375, 1.21875}));
    for (int i = 0; i < 20; ++i) {
        look_after(0.5);
    }
    EXPECT_LE(growing.state.heat(), 2.0) << "never above the most";
}

TEST(Reheat, AChangeOfDiversityIsProgressToo) {
    Growing growing({1});
    const ReheatSettings settings{1, 0.02, 0.05, 1, 1.5, 2.0, 0.5};
    growing.add(0, 0.5);
    samples::require(growing.state.apply(*due_watch(growing.state, settings)));
    EXPECT_DOUBLE_EQ(growing.state.watched()->diversity, 0.5);
    Individual other = samples::individual(growing.state.next_ticket(), 0, 0, 0.9, "other");
    other.flags = {};
    other.starter = "another";
    other.tune = {};
    const std::uint64_t ticket = growing.state.next_ticket();
    samples::require(growing.state.apply(samples::ticket_issued(ticket, 0, {}, 2)));
    samples::require(growing.state.apply(Evaluated{other}));
    samples::require(growing.state.apply(TicketCommitted{ticket, 0, 0, 0, 0}));
    const auto look = due_watch(growing.state, settings);
    ASSERT_TRUE(look);
    EXPECT_DOUBLE_EQ(look->diversity, 1.0);
    EXPECT_EQ(look->still, 0u);
    EXPECT_EQ(look->heat, 1);
}

TEST(Reheat, NobodyLooksUnlessAskedAndWhatCannotFollowIsRefused) {
    Growing growing({1, 2});
    growing.add(0, 0.5);
    EXPECT_FALSE(due_watch(growing.state, {}));
    EXPECT_FALSE(growing.state.apply(ProgressWatched{2, 1, 0, 0, 1}));
    EXPECT_FALSE(growing.state.apply(ProgressWatched{3, 1, 0, 0, 0.5}));
    EXPECT_FALSE(growing.state.apply(ProgressWatched{3, -1, 0, 0, 1}));
    EXPECT_FALSE(growing.state.apply(ProgressWatched{3, 1, 1.5, 0, 1}));
    samples::require(growing.state.apply(ProgressWatched{3, 1, 0, 0, 1}));
    EXPECT_FALSE(growing.state.apply(ProgressWatched{3, 1, 0, 0, 1})) << "twice";
    EXPECT_FALSE(growing.state.apply(IslandSpawned{3, 2, id(0), 0.5})) << "it comes before";
}

// Edges are used heat times as often, where their probability lets them.
TEST(Reheat, HeatSendsMoreMigrants) {
    const auto sent = [](double heat) {
        int count = 0;
        for (std::uint64_t seed = 0; seed < 400; ++seed) {
            Growing growing({1, 2});
            samples::require(growing.state.apply(ProgressWatched{2, 2, 0, 0, heat}));
            growing.add(0, 3);
            const auto due =
                due_migrations(growing.state, make_topology("ring", 2, 0.25), {1, 1}, seed);
            count += static_cast<int>(due.size());
            for (const Migrated& migrated : due) {
                EXPECT_EQ(migrated.probability, std::min(1.0, 0.25 * heat));
            }
        }
        return count;
    };
    EXPECT_NEAR(sent(1), 100, 35);
    EXPECT_NEAR(sent(2), 200, 40);
    EXPECT_EQ(sent(8), 400);
}

// By hand: decay 0.9; the best rises from 1 to 2 (d = 1), from 2 to 3 (d = 0.5), then not at all.
TEST(Gain, IsTheDecayedSquareOfRelativeRises) {
    Growing growing({1, 5});
    EXPECT_EQ(growing.state.islands()[0].gain, 0) << "a starter improves on nothing";
    growing.add(0, 2);
    EXPECT_DOUBLE_EQ(growing.state.islands()[0].gain, 0.1);
    growing.add(0, 3);
    EXPECT_DOUBLE_EQ(growing.state.islands()[0].gain, 0.9 * 0.1 + 0.1 * 0.25);
    growing.add(0, 1);
    EXPECT_DOUBLE_EQ(growing.state.islands()[0].gain, 0.9 * (0.9 * 0.1 + 0.1 * 0.25));
    EXPECT_EQ(growing.state.islands()[1].gain, 0) << "each island has its own";
}

// ---- duplicates by names and binary

TEST(Sameness, ADuplicateHasTheFirstOnesProgramAndTakesNoPlaceOfItsOwn) {
    Growing growing({1, 2});
    const std::uint64_t ticket = growing.state.next_ticket();
    samples::require(growing.state.apply(samples::ticket_issued(ticket, 0, {}, 2)));
    Individual copy = samples::individual(ticket, 0, 0, 1, "written otherwise");
    copy.measures = {};
    answer_from(*growing.state.find(id(0)), SameBy::names, copy);
    EXPECT_EQ(copy.same_as, id(0));
    samples::require(growing.state.apply(Evaluated{copy}));
    samples::require(growing.state.apply(TicketCommitted{ticket, 0, 0, 0, 0}));
    EXPECT_EQ(growing.state.islands()[0].archive.entries().size(), 1u);
    EXPECT_EQ(growing.state.program_of(*growing.state.find(copy.id)),
              growing.state.find(id(0))->key);
    EXPECT_EQ(growing.state.duplicates(), 1u);
    // A copy of the copy, by its key: of the first.
    Individual again = samples::individual(ticket + 1, 0, 0, 1, "written otherwise");
    answer_from(*growing.state.find(copy.id), SameBy::key, again);
    EXPECT_EQ(again.same_by, SameBy::names);
    EXPECT_EQ(again.same_as, id(0));
    const auto decoded = CampaignState::decode(growing.state.encode(), growing.state.settings());
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_TRUE(decoded->encode() == growing.state.encode());
}

TEST(Sameness, TwoOfOneBinaryThatWereInWorkAtOnceAreOneProgram) {
    Growing growing({1, 2});
    const std::uint64_t ticket = growing.state.next_ticket();
    for (std::uint64_t i = 0; i < 2; ++i) {
        samples::require(growing.state.apply(samples::ticket_issued(ticket + i, 0, {}, 2)));
        Individual made = samples::individual(ticket + i, 0, 0, 3, "source " + std::to_string(i));
        made.binary = content_id("one binary");
        samples::require(growing.state.apply(Evaluated{made}));
    }
    samples::require(growing.state.apply(TicketCommitted{ticket, 0, 0, 0, 0}));
    samples::require(growing.state.apply(TicketCommitted{ticket + 1, 0, 0, 0, 0}));
    EXPECT_EQ(growing.state.find_binary(content_id("one binary"))->id, id(ticket));
    EXPECT_EQ(growing.state.find_binary(content_id("another")), nullptr);
    EXPECT_EQ(growing.state.islands()[0].archive.entries().size(), 2u) << "the starter and one";
    EXPECT_EQ(growing.state.evaluations(), 4u) << "both were evaluated";
}

TEST(Sameness, WhatCannotFollowIsRefused) {
    Growing growing({1, 0});
    const std::uint64_t ticket = growing.state.next_ticket();
    samples::require(growing.state.apply(samples::ticket_issued(ticket, 0, {}, 2)));
    Individual sound = samples::individual(ticket, 0, 0, 1, "x");
    answer_from(*growing.state.find(id(0)), SameBy::names, sound);
    const auto refused = [&](auto change) {
        Individual copy = sound;
        change(copy);
        return !growing.state.apply(Evaluated{copy});
    };
    EXPECT_TRUE(refused([](Individual& i) { i.duplicate = false; }));
    EXPECT_TRUE(refused([](Individual& i) { i.same_as = id(9); }));
    EXPECT_TRUE(refused([](Individual& i) { i.same_as = id(1); })) << "another outcome";
    EXPECT_TRUE(refused([](Individual& i) { i.same_by = SameBy::binary; })) << "none is known";
    EXPECT_TRUE(refused([](Individual& i) { i.binary = content_id("b"); })) << "another binary";
    samples::require(growing.state.apply(Evaluated{sound}));
}

}  // namespace
}  // namespace atl
