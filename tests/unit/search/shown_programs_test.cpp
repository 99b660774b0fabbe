#include "search/committer.hpp"
#include "search/decide.hpp"
#include "search/replay.hpp"
#include "tests/unit/search/showing_operator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace atl {
namespace {

using testing::Campaign;
using ::testing::IsEmpty;
using testing::use_showing;

constexpr ShownBlocks k_programs{true, true, false};

std::vector<TicketIssued> tickets(const Campaign& campaign) {
    std::vector<TicketIssued> all;
    for (const Event& event : campaign.events()) {
        const auto* issued = std::get_if<TicketIssued>(&event);
        if (issued != nullptr && issued->operator_name == "showing") {
            all.push_back(*issued);
        }
    }
    return all;
}

std::size_t count(const std::vector<TicketIssued>& tickets, ParentRole role) {
    std::size_t sum = 0;
    for (const TicketIssued& ticket : tickets) {
        sum += static_cast<std::size_t>(
            std::count_if(ticket.parents.begin(), ticket.parents.end(),
                          [role](const Parent& parent) { return parent.role == role; }));
    }
    return sum;
}

// OpenEvolve's defect (its issue 138): inspirations came from all islands, so that they had none.
TEST(ShownPrograms, ComeFromTheChildsOwnIslandUnlessTheyMigratedToIt) {
    Campaign campaign;
    use_showing(campaign, k_programs);
    campaign.config.islands.count = 3;
    campaign.config.stop.max_evaluations = 300;
    ASSERT_TRUE(campaign.run());
    std::map<IndividualId, std::set<std::uint32_t>> lives;
    std::size_t shown = 0;
    std::size_t migrants = 0;
    for (const Event& event : campaign.events()) {
        if (const auto* evaluated = std::get_if<Evaluated>(&event)) {
            lives[evaluated->individual.id].insert(evaluated->individual.island);
        } else if (const auto* migrated = std::get_if<Migrated>(&event)) {
            lives[migrated->individual].insert(migrated->to);
        } else if (const auto* issued = std::get_if<TicketIssued>(&event)) {
            for (const Parent& parent : issued->parents) {
                EXPECT_TRUE(lives[parent.id].contains(issued->island)) << parent.id.text();
                shown += is_made_of(parent.role) ? 0 : 1;
                migrants += lives[parent.id].size() > 1 ? 1 : 0;
            }
        }
    }
    EXPECT_GT(shown, 500u);
    EXPECT_GT(migrants, 0u);
}

TEST(ShownPrograms, NoneIsShownTwiceAndEachBecomesAParentOfTheChild) {
    Campaign campaign;
    use_showing(campaign, k_programs);
    ASSERT_TRUE(campaign.run());
    const std::vector<TicketIssued> all = tickets(campaign);
    EXPECT_GT(count(all, ParentRole::exemplar), 50u);
    EXPECT_GT(count(all, ParentRole::inspiration), 50u);
    std::map<std::uint64_t, std::vector<Parent>> parents;
    for (const TicketIssued& ticket : all) {
        std::set<IndividualId> ids;
        for (const Parent& parent : ticket.parents) {
            EXPECT_TRUE(ids.insert(parent.id).second);
            EXPECT_GT(parent.probability, 0);
        }
        parents[ticket.ticket] = ticket.parents;
    }
    for (const Event& event : campaign.events()) {
        const auto* evaluated = std::get_if<Evaluated>(&event);
        if (evaluated != nullptr && evaluated->individual.operator_name == "showing") {
            EXPECT_EQ(evaluated->individual.parents, parents[evaluated->individual.id.ticket()]);
        }
    }
}

TEST(ShownPrograms, AreChosenForBlocksThatThePromptHas) {
    for (const ShownBlocks blocks :
         {ShownBlocks{true, false, false}, ShownBlocks{false, true, false},
          ShownBlocks{false, false, true}}) {
        Campaign campaign;
        use_showing(campaign, blocks);
        ASSERT_TRUE(campaign.run());
        EXPECT_EQ(count(tickets(campaign), ParentRole::exemplar) > 0, blocks.exemplars);
        EXPECT_EQ(count(tickets(campaign), ParentRole::inspiration) > 0, blocks.inspirations);
    }
}

TEST(ShownPrograms, AreAsManyAsTheConfigSays) {
    Campaign campaign;
    use_showing(campaign, k_programs);
    campaign.config.islands.count = 1;
    campaign.config.migration.topology = "none";
    campaign.config.memory.exemplars = "top_k";
    campaign.config.memory.exemplar_count = 3;
    campaign.config.memory.inspirations = {"random", "poor"};
    ASSERT_TRUE(campaign.run());
    const std::vector<TicketIssued> all = tickets(campaign);
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(count({all.back()}, ParentRole::exemplar), 3u);
    EXPECT_EQ(count({all.back()}, ParentRole::inspiration), 2u);
}

TEST(ShownPrograms, OperatorsWithoutAPromptAreShownNothing) {
    Campaign campaign;
    ASSERT_TRUE(campaign.run());
    for (const Event& event : campaign.events()) {
        if (const auto* issued = std::get_if<TicketIssued>(&event)) {
            EXPECT_LE(issued->parents.size(), 2u);
        }
    }
}

TEST(ShownPrograms, AReplayChoosesTheSameAndSeesWhereOthersAreRecorded) {
    for (const char* order : {"arrival", "ticket"}) {
        Campaign campaign;
        use_showing(campaign, k_programs);
        campaign.config.engine.commit_order = order;
        ASSERT_TRUE(campaign.run());
        auto reader = JournalReader::open(campaign.path() / "journal");
        ASSERT_TRUE(reader);
        ASSERT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
        std::vector<Event> events = campaign.events();
        const auto differences = [&] {
            const auto replay = replay_decisions(events, **reader, campaign.config, campaign.task,
                                                 campaign.operators);
            EXPECT_TRUE(replay) << replay.error().message();
            return replay->differences;
        };
        EXPECT_THAT(differences(), IsEmpty());
        for (Event& event : events) {
            auto* issued = std::get_if<TicketIssued>(&event);
            if (issued != nullptr && issued->parents.size() > 2) {
                issued->parents.back().probability *= 0.5;
                break;
            }
        }
        EXPECT_EQ(differences().size(), 1u);
    }
}

TEST(ShownPrograms, DoNotRaiseWhatAChildIsComparedWith) {
    StateSettings two_islands;
    two_islands.islands = 2;
    CampaignState state(two_islands);
    const auto require = [](const Status& status) {
        ASSERT_TRUE(status) << status.error().message();
    };
    require(state.apply(CampaignStarted{}));
    const auto commit = [&](std::uint64_t ticket, std::uint32_t island, double fitness,
                            std::vector<Parent> parents) {
        TicketIssued issued;
        issued.ticket = ticket;
        issued.island = island;
        issued.operator_name = "showing";
        issued.parents = std::move(parents);
        issued.commits_seen = state.commits();
        require(state.apply(issued));
        Individual individual;
        individual.id = IndividualId::make(ticket, 0);
        individual.island = island;
        individual.key = content_id(std::to_string(ticket));
        individual.outcome = Outcome::passed;
        individual.fitness = fitness;
        require(state.apply(Evaluated{individual}));
        const double reward = ticket_reward(state, ticket);
        require(state.apply(TicketCommitted{ticket, reward, 0, 0, 0}));
        return reward;
    };
    commit(0, 0, 4, {});
    commit(1, 1, 1, {});
    const std::vector<Parent> parents = {{IndividualId::make(1, 0), ParentRole::base, 1},
                                         {IndividualId::make(0, 0), ParentRole::exemplar, 1}};
    EXPECT_DOUBLE_EQ(commit(2, 1, 1.5, parents), 0.5);
}

}  // namespace
}  // namespace atl
