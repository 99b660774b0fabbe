#include "population/search_tree.hpp"

#include "population/campaign_state.hpp"
#include "tests/unit/population/samples.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

IndividualId id(std::uint64_t ticket) {
    return IndividualId::make(ticket, 0);
}

Individual right(std::uint64_t ticket, double fitness) {
    return samples::individual(ticket, 0, 0, fitness, std::to_string(ticket));
}

// 0 -> 1 -> 2, by hand.
TEST(SearchTree, TicketsVisitTheirBaseAndAllAboveAndPayThem) {
    SearchTree tree;
    tree.add(right(0, 1), std::nullopt, StepSize::none);
    tree.add(right(1, 2), id(0), StepSize::large);
    tree.issue(id(1), StepSize::small);
    EXPECT_EQ(tree.find(id(0))->visits, 2u);
    EXPECT_EQ(tree.find(id(1))->visits, 2u);
    EXPECT_EQ(tree.find(id(0))->expansions, 0u);
    EXPECT_EQ(tree.find(id(1))->expansions, 1u);
    EXPECT_EQ(tree.find(id(1))->small_steps, 1u);
    const double own = tree.find(id(0))->reward_sum;
    tree.end(id(1), 1.5);
    tree.add(right(2, 3), id(1), StepSize::small);
    EXPECT_DOUBLE_EQ(tree.find(id(0))->reward_sum, own + 1.5);
    EXPECT_EQ(tree.find(id(0))->reward_max, 1.5);
    EXPECT_EQ(tree.find(id(2))->parent, id(1));
    EXPECT_EQ(tree.find(id(2))->depth, 2u);
    EXPECT_EQ(tree.find(id(2))->visits, 1u);
    EXPECT_EQ(tree.find(id(7)), nullptr);
    tree.issue(id(1), StepSize::small);
    tree.roll_back(id(1), StepSize::small);
    EXPECT_EQ(tree.find(id(1))->expansions, 1u);
    EXPECT_EQ(tree.find(id(1))->small_steps, 1u);
    EXPECT_EQ(tree.find(id(0))->visits, 2u);
}

// Small steps from 1 belong to 1; a large one begins another.
TEST(SearchTree, KnowsTheFittestOfThoseThatSmallStepsConnect) {
    SearchTree tree;
    tree.add(right(0, 1), std::nullopt, StepSize::none);
    tree.add(right(1, 2), id(0), StepSize::large);
    tree.add(right(2, 5), id(1), StepSize::small);
    tree.add(right(3, 4), id(1), StepSize::small);
    tree.add(right(4, 9), id(2), StepSize::large);
    EXPECT_EQ(tree.find(id(3))->head, id(1));
    EXPECT_EQ(tree.find(id(1))->best, id(2));
    EXPECT_EQ(tree.find(id(0))->best, id(0));
    EXPECT_EQ(tree.find(id(4))->head, id(4));
}

TEST(SearchTree, GrowsNoDeeperThanItsLimit) {
    SearchTree tree;
    tree.add(right(0, 1), std::nullopt, StepSize::none);
    for (std::uint64_t i = 1; i < 200; ++i) {
        tree.add(right(i, 1), id(i - 1), StepSize::small);
    }
    EXPECT_EQ(tree.find(id(64))->depth, 64u);
    for (std::uint64_t i = 65; i < 200; ++i) {
        EXPECT_EQ(tree.find(id(i))->depth, 64u);
        EXPECT_EQ(tree.find(id(i))->parent, id(63));
    }
}

// By hand from AdaExplore's constants: 0.4 + 1.2 (1 - 0.1) / 9.9 = 0.50909.
TEST(SearchTree, RewardsAreAdaExplores) {
    Individual one = right(0, 1);
    EXPECT_NEAR(tree_reward(one), 0.509090909, 1e-9);
    one.fitness = 10;
    EXPECT_DOUBLE_EQ(tree_reward(one), 1.6);
    one.fitness = 1000;
    EXPECT_DOUBLE_EQ(tree_reward(one), 1.6);
    one.fitness = 0.01;
    EXPECT_DOUBLE_EQ(tree_reward(one), 0.4);
    one.fitness = 0;
    one.outcome = Outcome::wrong_result;
    EXPECT_EQ(tree_reward(one), 0.05);
    one.outcome = Outcome::compile_error;
    EXPECT_EQ(tree_reward(one), 0);
}

StateSettings tracking(bool tree, bool curiosity) {
    StateSettings settings = samples::settings();
    settings.tree = tree;
    settings.curiosity = curiosity;
    return settings;
}

CampaignState fold(StateSettings settings, const std::vector<Event>& events) {
    CampaignState state(std::move(settings));
    for (const Event& event : events) {
        samples::require(state.apply(event));
    }
    return state;
}

// samples::campaign(): 2.0 (2.0) and 2.1 (2.5, of 2.0) of base 0.0; 3 lost to a fault; 4 of a
// migrant, so without a base; 5 of 2.1, in flight.
TEST(TrackedState, FoldsTheTree) {
    const CampaignState state = fold(tracking(true, false), samples::campaign());
    const IndividualId child = IndividualId::make(2, 0);
    const IndividualId refined = IndividualId::make(2, 1);
    EXPECT_EQ(state.tree().find(child)->parent, id(0));
    EXPECT_EQ(state.tree().find(refined)->parent, child);
    EXPECT_EQ(state.tree().find(refined)->expansions, 1u);
    EXPECT_EQ(state.tree().find(refined)->visits, 2u);
    EXPECT_EQ(state.tree().find(id(0))->visits, 3u) << "itself, ticket 2 and ticket 5";
    EXPECT_EQ(state.tree().find(id(0))->expansions, 1u);
    EXPECT_EQ(state.tree().find(id(1))->visits, 1u) << "ticket 3 was lost to a fault";
    // Ticket 2 brought 2.5 at best: 0.4 + 1.2 * 2.4 / 9.9.
    EXPECT_NEAR(state.tree().find(id(0))->reward_max, 0.4 + 1.2 * 2.4 / 9.9, 1e-12);
    EXPECT_EQ(state.tree().find(IndividualId::make(5, 0)), nullptr);
    EXPECT_EQ(fold(tracking(false, false), samples::campaign()).tree().find(id(0)), nullptr);
}

// 0.0: both children of ticket 2 entered the archive, of which 2.0 is a child of 0.0.
TEST(TrackedState, FoldsCuriosity) {
    std::vector<Event> events = samples::campaign();
    const CampaignState state = fold(tracking(false, true), events);
    EXPECT_EQ(state.curiosity_of(id(0)), 1);
    EXPECT_EQ(state.curiosity_of(IndividualId::make(2, 0)), 1);
    EXPECT_EQ(state.curiosity_of(id(1)), 0);
    CampaignState later = state;
    samples::require(later.apply(TicketCommitted{5, 0, 8000, 0, 0}));
    EXPECT_EQ(later.curiosity_of(IndividualId::make(2, 1)), 0)
        << "a child without parents of its own has those of nobody";
    EXPECT_EQ(fold(tracking(false, false), events).curiosity_of(id(0)), 0);
}

TEST(TrackedState, AWrongChildOrOneThatDoesNotEnterLowersCuriosity) {
    std::vector<Event> events = samples::campaign();
    events.resize(8);
    CampaignState state = fold(tracking(false, true), events);
    for (const std::uint64_t ticket : {2, 3}) {
        samples::require(
            state.apply(samples::ticket_issued(ticket, 0, {{id(0), ParentRole::base, 1}}, 2)));
        Individual child = right(ticket, ticket == 2 ? 0 : 1.5);
        child.key = ticket == 2 ? child.key : state.find(id(0))->key;  // known: not added
        child.parents = {{id(0), ParentRole::base, 1}};
        samples::require(state.apply(Evaluated{child}));
        samples::require(state.apply(TicketCommitted{ticket, 0, 0, 0, 0}));
    }
    EXPECT_EQ(state.curiosity_of(id(0)), -1);
}

TEST(TrackedState, IsKeptInSnapshotsAndRefusesNonsense) {
    const StateSettings settings = tracking(true, true);
    const CampaignState state = fold(settings, samples::campaign());
    const std::string bytes = state.encode();
    auto again = CampaignState::decode(bytes, settings);
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_TRUE(again->encode() == bytes);
    for (const Individual& individual : state.individuals()) {
        const SearchTree::Node* node = state.tree().find(individual.id);
        const SearchTree::Node* read = again->tree().find(individual.id);
        ASSERT_EQ(node == nullptr, read == nullptr);
        EXPECT_TRUE(node == nullptr || *node == *read);
        EXPECT_EQ(again->curiosity_of(individual.id), state.curiosity_of(individual.id));
    }
    EXPECT_FALSE(CampaignState::decode(bytes, tracking(true, false)));
    EXPECT_FALSE(CampaignState::decode(bytes, tracking(false, true)));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        ASSERT_FALSE(CampaignState::decode(bytes.substr(0, size), settings)) << size;
    }
}

TEST(TrackedState, CountsTheProgramsOfAnIslandSinceItsFounding) {
    const CampaignState state = fold(samples::settings(), samples::campaign());
    EXPECT_EQ(state.islands()[1].programs, 3u) << "1.0, the migrant 2.1 and its copy 4.0";
    EXPECT_EQ(state.islands()[0].programs, 1u) << "founded anew by its last event";
}

}  // namespace
}  // namespace atl
