// What campaigns select, from the record: also what other systems got wrong.

#include "search/replay.hpp"
#include "search/selectors/selector.hpp"
#include "tests/unit/search/asker.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace atl {
namespace {

using testing::add_asker;
using testing::Asker;
using testing::Campaign;
using ::testing::IsEmpty;
using testing::small_config;

class Selecting : public ::testing::Test {
  protected:
    Selecting() {
        m_campaign.config.archive.crowding_distance = 0;
        m_campaign.config.migration.policy.every_commits = 7;
    }

    void run() {
        const auto report = m_campaign.run();
        ASSERT_TRUE(report) << report.error().message();
    }

    /// Calls `look(ticket, state before it)` for each ticket but the starters'.
    template <class Look>
    void each_ticket(const Look& look) {
        CampaignState state(state_settings(m_campaign.config));
        for (const Event& event : m_campaign.events()) {
            const auto* issued = std::get_if<TicketIssued>(&event);
            if (issued != nullptr && issued->operator_name != "starter") {
                look(*issued, state);
            }
            ASSERT_TRUE(state.apply(event));
        }
    }

    void expect_the_same_again() {
        auto reader = JournalReader::open(m_campaign.path() / "journal");
        ASSERT_TRUE(reader);
        ASSERT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
        const auto replay = replay_decisions(m_campaign.events(), **reader, m_campaign.config,
                                             m_campaign.task, m_campaign.operators);
        ASSERT_TRUE(replay) << replay.error().message();
        EXPECT_GT(replay->decisions, 0u);
        EXPECT_THAT(replay->differences, IsEmpty());
    }

    static std::vector<Parent> of_role(const TicketIssued& issued, ParentRole role) {
        std::vector<Parent> found;
        std::copy_if(issued.parents.begin(), issued.parents.end(), std::back_inserter(found),
                     [role](const Parent& parent) { return parent.role == role; });
        return found;
    }

    static bool is_member(const CampaignState& state, std::uint32_t island, IndividualId id) {
        const auto entries = state.islands()[island].archive.entries();
        return std::any_of(entries.begin(), entries.end(),
                           [id](const ArchiveEntry& entry) { return entry.id == id; });
    }

    Campaign m_campaign{small_config()};
    std::shared_ptr<std::vector<Asker::Told>> m_told = add_asker(m_campaign.operators);
};

// OpenEvolve #391: children were added to island 0 only.
TEST_F(Selecting, ChildrenAreBornOnEveryIslandOfTheirTickets) {
    m_campaign.config.islands.count = 4;
    run();
    std::map<std::uint64_t, std::uint32_t> islands;
    std::map<std::uint32_t, std::size_t> born;
    for (const Event& event : m_campaign.events()) {
        if (const auto* issued = std::get_if<TicketIssued>(&event)) {
            islands[issued->ticket] = issued->island;
        } else if (const auto* evaluated = std::get_if<Evaluated>(&event)) {
            EXPECT_EQ(evaluated->individual.island, islands.at(evaluated->individual.id.ticket()));
            born[evaluated->individual.island] += evaluated->individual.parents.empty() ? 0 : 1;
        }
    }
    EXPECT_EQ(born.size(), 4u);
    for (const auto& [island, children] : born) {
        EXPECT_GE(children, 10u) << island;
    }
}

// OpenEvolve #138: inspirations were drawn across islands. Here all parents are members of the
// island's archive: born there, or migrated there.
TEST_F(Selecting, ParentsAndInspirationsAreOfTheIslandUnlessTheyMigrated) {
    m_campaign.config.selector.name = "uct";
    m_campaign.config.mix.weights = {{"asker", 1}};
    m_campaign.config.archive.size = 200;
    run();
    std::size_t inspirations = 0;
    each_ticket([&](const TicketIssued& issued, const CampaignState& state) {
        std::set<std::uint64_t> ids;
        for (const Parent& parent : issued.parents) {
            EXPECT_TRUE(is_member(state, issued.island, parent.id)) << issued.ticket;
            EXPECT_TRUE(ids.insert(parent.id.value).second) << "no part twice";
        }
        inspirations += of_role(issued, ParentRole::inspiration).size();
    });
    EXPECT_GT(inspirations, 0u);
    expect_the_same_again();
}

TEST_F(Selecting, WhoInspiredHasNoChildOfIt) {
    m_campaign.config.selector.name = "uct";
    m_campaign.config.archive.size = 200;
    m_campaign.config.mix.weights = {{"asker", 1}};
    const auto report = m_campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    std::map<std::uint64_t, std::uint64_t> children;
    std::size_t inspired = 0;
    for (const Individual& individual : report->state.individuals()) {
        for (const Parent& parent : individual.parents) {
            children[parent.id.value] += parent.role == ParentRole::inspiration ? 0 : 1;
            inspired += parent.role == ParentRole::inspiration ? 1 : 0;
        }
    }
    EXPECT_GT(inspired, 0u) << "recorded with the child all the same";
    for (const Individual& individual : report->state.individuals()) {
        EXPECT_EQ(report->state.children_of(individual.id), children[individual.id.value]);
    }
}

// Nobody records it for asynchronous results, as far as engines.md looked (1D).
TEST_F(Selecting, ChildrenSayHowOldTheirParentsWere) {
    m_campaign.config.engine.tickets_in_flight = 5;
    const auto report = m_campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    std::map<std::uint64_t, std::uint64_t> seen;
    std::map<std::uint64_t, std::uint64_t> committed;
    for (const Event& event : m_campaign.events()) {
        if (const auto* issued = std::get_if<TicketIssued>(&event)) {
            seen[issued->ticket] = issued->commits_seen;
        } else if (const auto* commit = std::get_if<TicketCommitted>(&event)) {
            committed.emplace(commit->ticket, committed.size());
        }
    }
    std::uint64_t stale = 0;
    for (const Individual& individual : report->state.individuals()) {
        const std::uint64_t ticket = individual.id.ticket();
        EXPECT_EQ(individual.staleness, committed.at(ticket) - seen.at(ticket));
        stale += individual.staleness > 0 ? 1 : 0;
    }
    EXPECT_GT(stale, 0u);
}

class SelectingBy : public Selecting, public ::testing::WithParamInterface<std::string> {};

INSTANTIATE_TEST_SUITE_P(Names, SelectingBy, ::testing::ValuesIn(selector_names()),
                         [](const auto& one) { return one.param; });

TEST_P(SelectingBy, IsTakenAgainByReplay) {
    m_campaign.config.selector.name = GetParam();
    run();
    expect_the_same_again();
}

// Whatever the selector keeps is folded from the record, so a crash changes nothing.
TEST_P(SelectingBy, GoesOnTheSameAfterCrashes) {
    m_campaign.config.selector.name = GetParam();
    m_campaign.config.engine.commit_order = "ticket";
    m_campaign.config.engine.snapshot_every = 30;
    Campaign whole(m_campaign.config);
    add_asker(whole.operators);
    ASSERT_TRUE(whole.run());
    for (const std::uint64_t events : {50, 70}) {
        ASSERT_FALSE(m_campaign.run({}, events));
    }
    run();
    const auto decisions = [](const Campaign& campaign) {
        std::map<std::uint64_t, std::string> all;
        for (const Event& event : campaign.events()) {
            if (auto issued = event; auto* ticket = std::get_if<TicketIssued>(&issued)) {
                ticket->at_ns = 0;
                all[ticket->ticket] = encode_event(issued);
            }
        }
        return all;
    };
    EXPECT_EQ(decisions(m_campaign), decisions(whole));
}

TEST_F(Selecting, OnlyUctDecidesTheStep) {
    for (const std::string& name : selector_names()) {
        Campaign campaign(m_campaign.config);
        const auto told = add_asker(campaign.operators);
        campaign.config.selector.name = name;
        ASSERT_TRUE(campaign.run());
        std::set<StepSize> steps;
        for (const Event& event : campaign.events()) {
            const auto* issued = std::get_if<TicketIssued>(&event);
            if (issued != nullptr && issued->operator_name != "starter") {
                steps.insert(issued->step);
                EXPECT_EQ(issued->step == StepSize::none, name != "uct");
            }
        }
        EXPECT_EQ(steps.size(), name == "uct" ? 2u : 1u) << name;
        EXPECT_TRUE(std::any_of(told->begin(), told->end(), [&](const Asker::Told& one) {
            return one.step == (name == "uct" ? StepSize::small : StepSize::none);
        }));
    }
}

// By the rule of UctSelector: 0.2, and 1 once a small step was taken from the base.
TEST_F(Selecting, StepsHaveTheirProbability) {
    m_campaign.config.selector.name = "uct";
    m_campaign.config.selector.small_step_limit = 1;
    run();
    std::size_t forced = 0;
    each_ticket([&](const TicketIssued& issued, const CampaignState& state) {
        const auto* node = state.tree().find(issued.parents[0].id);
        ASSERT_NE(node, nullptr);
        const double large = node->small_steps >= 1 ? 1 : 0.2;
        EXPECT_DOUBLE_EQ(issued.step_probability,
                         issued.step == StepSize::large ? large : 1 - large);
        forced += large == 1 ? 1 : 0;
    });
    EXPECT_GT(forced, 0u);
}

// AdaExplore's pool: of each part of the way up that small steps made, the fittest.
TEST_F(Selecting, LargeStepsShowTheBestAboveTheBase) {
    m_campaign.config.selector.name = "uct";
    m_campaign.config.islands.count = 1;
    m_campaign.config.archive.size = 200;
    m_campaign.config.mix.weights = {{"asker", 1}};
    run();
    std::size_t shown = 0;
    each_ticket([&](const TicketIssued& issued, const CampaignState& state) {
        const auto found = of_role(issued, ParentRole::inspiration);
        if (issued.step != StepSize::large) {
            EXPECT_THAT(found, IsEmpty());
            return;
        }
        std::vector<IndividualId> expected;
        const auto* node = state.tree().find(issued.parents[0].id);
        while (node != nullptr) {
            const auto* head = state.tree().find(node->head);
            if (head->best != issued.parents[0].id && is_member(state, issued.island, head->best) &&
                expected.size() < 5) {
                expected.push_back(head->best);
            }
            node = head->parent == node->head ? nullptr : state.tree().find(head->parent);
        }
        ASSERT_LE(found.size(), expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
            EXPECT_EQ(found[i].id, expected[i]);
            EXPECT_EQ(found[i].probability, 1);
        }
        shown += found.size();
    });
    EXPECT_GT(shown, 3u);
}

TEST_F(Selecting, LargeStepsShowNoneAboveWhereNoneIsAskedFor) {
    m_campaign.config.selector.name = "uct";
    m_campaign.config.selector.above = 0;
    m_campaign.config.islands.count = 1;
    m_campaign.config.archive.size = 200;
    m_campaign.config.mix.weights = {{"asker", 1}};
    run();
    each_ticket([&](const TicketIssued& issued, const CampaignState&) {
        EXPECT_THAT(of_role(issued, ParentRole::inspiration), IsEmpty());
    });
}

// The state that selectors look at is kept only where one does.
TEST(SelectorState, IsKeptForTheSelectorThatNeedsIt) {
    for (const std::string& name : selector_names()) {
        CampaignConfig config;
        config.selector.name = name;
        EXPECT_EQ(state_settings(config).tree, name == "uct" || name == "beam") << name;
        EXPECT_EQ(state_settings(config).curiosity, name == "curiosity") << name;
    }
}

}  // namespace
}  // namespace atl
