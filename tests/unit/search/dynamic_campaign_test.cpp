// Islands that are added, intensity and heat, in campaigns of their own.

#include "search/committer.hpp"
#include "search/decide.hpp"
#include "search/intensity.hpp"
#include "search/replay.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

#include <cmath>
#include <map>
#include <numeric>

namespace atl {
namespace {

using testing::Campaign;
using testing::FakeEvaluatorOptions;
using testing::small_config;

CampaignConfig dynamic_config() {
    CampaignConfig config = small_config();
    config.engine.commit_order = "ticket";
    config.islands.count = 2;
    config.islands.spawn = {"starter", 6, 5};
    config.migration.policy.every_commits = 4;
    config.migration.edge_probability = 0.5;
    config.intensity.policy.name = "improvement";
    config.reheat.every_commits = 5;
    config.reheat.patience = 1;
    config.stop.max_evaluations = 160;
    return config;
}

std::vector<std::string> differences(const Campaign& campaign, const std::vector<Event>& events) {
    auto reader = JournalReader::open(campaign.path() / "journal");
    EXPECT_TRUE(reader);
    EXPECT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
    const auto replay = replay_decisions(events, **reader, campaign.config, campaign.task);
    EXPECT_TRUE(replay) << replay.error().message();
    return replay->differences;
}

template <class One>
std::vector<std::string> all_of_kind(const std::vector<Event>& events) {
    std::vector<std::string> encoded;
    for (const Event& event : events) {
        if (std::holds_alternative<One>(event)) {
            encoded.push_back(encode_event(event));
        }
    }
    return encoded;
}

// The defects of others: all children on island 0, islands that only exist on paper.
TEST(DynamicIslands, EveryIslandHasChildrenOfItsOwnMembers) {
    for (const std::string order : {"ticket", "arrival"}) {
        Campaign campaign(dynamic_config());
        campaign.config.engine.commit_order = order;
        const auto report = campaign.run();
        ASSERT_TRUE(report) << report.error().message();
        const CampaignState& state = report->state;
        ASSERT_GT(state.islands().size(), 2u);
        EXPECT_LE(state.islands().size(), 5u) << "islands.most";
        EXPECT_EQ(all_of_kind<IslandSpawned>(campaign.events()).size(), state.islands().size() - 2);
        std::map<std::uint32_t, std::size_t> children;
        for (const Individual& child : state.individuals()) {
            children[child.island] += child.operator_name == "starter" ? 0 : 1;
        }
        std::uint64_t least = UINT64_MAX;
        std::uint64_t most = 0;
        for (std::uint32_t island = 0; island < state.islands().size(); ++island) {
            EXPECT_GT(children[island], 0u) << "island " << island;
            least = std::min(least, state.islands()[island].turns());
            most = std::max(most, state.islands()[island].turns());
        }
        EXPECT_LE(most - least, 2u) << "they take turns";
        EXPECT_THAT(differences(campaign, campaign.events()), ::testing::IsEmpty());
    }
}

// Parents were members of the child's island when it was decided, whichever way they came there.
TEST(DynamicIslands, ParentsAreMembersOfTheChildsIsland) {
    Campaign campaign(dynamic_config());
    const auto report = campaign.run();
    ASSERT_TRUE(report);
    CampaignState state(state_settings(campaign.config));
    std::size_t looked_at = 0;
    for (const Event& event : campaign.events()) {
        if (const auto* issued = std::get_if<TicketIssued>(&event)) {
            for (const Parent& parent : issued->parents) {
                const auto members = state.islands()[issued->island].archive.entries();
                EXPECT_TRUE(std::any_of(members.begin(), members.end(),
                                        [&](const auto& m) { return m.id == parent.id; }));
                ++looked_at;
            }
        }
        ASSERT_TRUE(state.apply(event));
    }
    EXPECT_GT(looked_at, 50u);
}

// Where members went in and others out, the best that was ever right is still there.
TEST(DynamicIslands, NoArchiveLosesTheBestThatItWasOffered) {
    for (const std::string kind : {"ranked", "grid", "pareto"}) {
        CampaignConfig config = dynamic_config();
        config.archive.kind = kind;
        config.archive.size = 2;
        Campaign campaign(config);
        std::map<std::uint32_t, double> best;
        std::size_t worse = 0;
        campaign.recorder.look = [&](const Event& event, const CampaignState& state) {
            if (std::holds_alternative<IslandsReset>(event)) {
                best.clear();
            }
            for (std::uint32_t i = 0; i < state.islands().size(); ++i) {
                const ArchiveEntry* member = state.islands()[i].archive.best();
                const double fitness = member == nullptr ? 0 : member->fitness;
                worse += fitness < best[i] ? 1 : 0;
                best[i] = fitness;
            }
        };
        const auto report = campaign.run();
        ASSERT_TRUE(report) << report.error().message();
        EXPECT_EQ(worse, 0u) << kind;
        const auto top = std::max_element(best.begin(), best.end(),
                                          [](auto& a, auto& b) { return a.second < b.second; });
        EXPECT_EQ(top->second, report->state.best()->fitness) << kind;
    }
}

TEST(DynamicIslands, WhatWasChangedOrLeftOutIsFound) {
    Campaign campaign(dynamic_config());
    ASSERT_TRUE(campaign.run());
    const std::vector<Event> events = campaign.events();
    std::vector<Event> changed = events;
    for (Event& event : changed) {
        if (auto* spawned = std::get_if<IslandSpawned>(&event)) {
            spawned->probability *= 0.5;
            break;
        }
    }
    EXPECT_THAT(differences(campaign, changed),
                ::testing::Contains(::testing::HasSubstr("a new island comes out otherwise")));
    changed = events;
    for (Event& event : changed) {
        if (auto* look = std::get_if<ProgressWatched>(&event)) {
            look->diversity *= 0.5;
            break;
        }
    }
    EXPECT_THAT(
        differences(campaign, changed),
        ::testing::Contains(::testing::HasSubstr("a look at progress comes out otherwise")));
    campaign.config.islands.spawn.after_commits = 3;
    EXPECT_THAT(differences(campaign, events),
                ::testing::Contains(::testing::HasSubstr("a new island is missing")));
    campaign.config = dynamic_config();
    campaign.config.reheat.every_commits = 3;
    EXPECT_THAT(differences(campaign, events),
                ::testing::Contains(::testing::HasSubstr("a look at progress is missing")));
    campaign.config = dynamic_config();
    campaign.config.intensity.policy.high = 0.9;
    EXPECT_THAT(differences(campaign, events),
                ::testing::Contains(::testing::HasSubstr("is decided otherwise")));
}

// Also when a crash falls between a commit and what follows from it.
TEST(DynamicIslands, AnInterruptedCampaignEqualsAnUninterruptedOne) {
    Campaign whole(dynamic_config());
    const auto expected = whole.run();
    ASSERT_TRUE(expected);
    const std::vector<Event> events = whole.events();
    std::vector<std::uint64_t> limits;
    for (std::uint64_t i = 0; i < events.size() && limits.size() < 16; ++i) {
        if (std::holds_alternative<IslandSpawned>(events[i]) ||
            std::holds_alternative<ProgressWatched>(events[i])) {
            limits.insert(limits.end(), {i, i + 1});
        }
    }
    ASSERT_EQ(limits.size(), 16u);
    for (const std::uint64_t limit : limits) {
        Campaign broken(dynamic_config());
        broken.config.engine.snapshot_every = 10;
        ASSERT_FALSE(broken.run({}, limit));
        const auto report = broken.run();
        ASSERT_TRUE(report) << report.error().message();
        EXPECT_EQ(all_of_kind<IslandSpawned>(broken.events()), all_of_kind<IslandSpawned>(events));
        EXPECT_EQ(all_of_kind<ProgressWatched>(broken.events()),
                  all_of_kind<ProgressWatched>(events))
            << limit;
        EXPECT_THAT(differences(broken, broken.events()), ::testing::IsEmpty());
    }
}

// From its journal alone, event by event, without an evaluator.
TEST(DynamicIslands, ACampaignIsTakenAgainFromItsJournal) {
    for (const std::string order : {"ticket", "arrival"}) {
        Campaign campaign(dynamic_config());
        campaign.config.engine.commit_order = order;
        ASSERT_TRUE(campaign.run());
        const auto record = RecordedRun::open(campaign.path() / "journal");
        ASSERT_TRUE(record) << record.error().message();
        Campaign again(campaign.config);
        again.record = record->get();
        FakeEvaluatorOptions none;
        none.fault = [](std::uint64_t, const Candidate&) { return true; };
        const auto report = again.run(none);
        ASSERT_TRUE(report) << report.error().message();
        EXPECT_EQ(all_of_kind<IslandSpawned>(again.events()),
                  all_of_kind<IslandSpawned>(campaign.events()));
    }
}

// ---- intensity

TEST(Intensity, IsItsFormula) {
    IslandState island{make_archive({})};
    IntensitySettings settings{"improvement", 0.15, 0.5};
    EXPECT_NEAR(exploring_share(island, 1, settings), 0.15 + 0.35 / (1 + 1e-4), 1e-12)
        << "no improvement: nearly all of the high end";
    island.gain = 4 - 1e-8;
    EXPECT_NEAR(exploring_share(island, 1, settings), 0.15 + 0.35 / 3, 1e-12);
    island.gain = 1e12;
    EXPECT_NEAR(exploring_share(island, 1, settings), 0.15, 1e-6) << "the low end";
    settings.name = "none";
    EXPECT_EQ(exploring_share(island, 1, settings), 0);
    EXPECT_DOUBLE_EQ(exploring_share(island, 1.5, settings), 1.0 / 3) << "heat alone";
    settings = {"improvement", 0.5, 0.5};
    EXPECT_DOUBLE_EQ(exploring_share(island, 2, settings), 0.75);
}

// What is recorded is the probability of both ways to the same choice.
TEST(Intensity, ASelectorIsMixedWithAnyEntry) {
    CampaignConfig config;
    config.selector.name = "power_law";  // 6/11, 3/11, 2/11 of three
    const Selector selector = make_selector(config.selector);
    const std::vector<SelectorEntry> entries = {{3, 0}, {2, 0}, {1, 0}};
    std::vector<double> chosen(3);
    std::vector<double> said(3);
    constexpr int k_draws = 30'000;
    for (int i = 0; i < k_draws; ++i) {
        CounterRng rng(5, RngPurpose::parent, static_cast<std::uint64_t>(i));
        const Selection selection = selector.select(entries, rng, {0, 0.4});
        chosen[selection.index] += 1.0 / k_draws;
        said[selection.index] = selection.probability;
    }
    const std::vector<double> wanted = {0.4 / 3 + 0.6 * 6 / 11, 0.4 / 3 + 0.6 * 3 / 11,
                                        0.4 / 3 + 0.6 * 2 / 11};
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_NEAR(said[i], wanted[i], 1e-12);
        EXPECT_NEAR(chosen[i], wanted[i], 0.012);
    }
    CounterRng one(5, RngPurpose::parent, 1);
    CounterRng same(5, RngPurpose::parent, 1);
    EXPECT_EQ(selector.select(entries, one).probability,
              selector.select(entries, same, {0, 0}).probability);
}

// A campaign that stands still chooses its bases less by merit than one whose selector has all.
TEST(Intensity, ReachesTheDecision) {
    const auto least_probability = [](const std::string& name) {
        CampaignConfig config = small_config();
        config.selector.name = "power_law";
        config.selector.alpha = 8;
        config.intensity.policy = {name, 0.9, 0.9};
        config.stop.max_evaluations = 60;
        Campaign campaign(config);
        EXPECT_TRUE(campaign.run());
        double least = 1;
        for (const Event& event : campaign.events()) {
            if (const auto* issued = std::get_if<TicketIssued>(&event)) {
                for (const Parent& parent : issued->parents) {
                    const bool base = parent.role == ParentRole::base;
                    least = base ? std::min(least, parent.probability) : least;
                }
            }
        }
        return least;
    };
    // Of at most eight members each has 0.9 / 8 at least.
    EXPECT_GT(least_probability("improvement"), 0.1);
    EXPECT_GT(least_probability("none"), 0.9) << "the best alone is ever chosen";
}

// ---- what a config says

TEST(DynamicConfig, KeysReachTheirSettings) {
    const CampaignConfig config = value_or_throw(parse_config(
        "[islands]\nspawn = 'random'\nspawn_after = 7\nmost = 9\n"
        "[intensity]\nname = 'improvement'\nlow = 0.2\nhigh = 0.3\ndecay = 0.4\n"
        "[reheat]\nevery = 11\nmin_gain = 0.5\nmin_change = 0.6\npatience = 2\nfactor = 3\n"
        "most = 5\ndecay = 0.7\n"
        "[novelty]\nname = 'exact'\nancestors = 6\nmax_returning = 0.8\n",
        "c.toml"));
    EXPECT_EQ(config.islands.spawn.founder, "random");
    EXPECT_EQ(config.islands.spawn.after_commits, 7);
    EXPECT_EQ(config.islands.spawn.most, 9);
    EXPECT_EQ(config.intensity.policy.name, "improvement");
    EXPECT_EQ(config.intensity.policy.low, 0.2);
    EXPECT_EQ(config.intensity.policy.high, 0.3);
    EXPECT_EQ(state_settings(config).gain_decay, 0.4);
    EXPECT_EQ(config.reheat.every_commits, 11);
    EXPECT_EQ(config.reheat.min_gain, 0.5);
    EXPECT_EQ(config.reheat.min_change, 0.6);
    EXPECT_EQ(config.reheat.patience, 2);
    EXPECT_EQ(config.reheat.factor, 3);
    EXPECT_EQ(config.reheat.most, 5);
    EXPECT_EQ(config.reheat.decay, 0.7);
    EXPECT_EQ(config.novelty.name, "exact");
    EXPECT_EQ(config.novelty.ancestors, 6);
    EXPECT_EQ(config.novelty.max_returning, 0.8);
    EXPECT_FALSE(parse_config("[islands]\nspawn = 'worst'\n", "c.toml"));
    EXPECT_FALSE(parse_config("[intensity]\nname = 'much'\n", "c.toml"));
}

TEST(DynamicConfig, WhatHasNoEffectIsRemarked) {
    const auto remarks = [](const std::string& toml) {
        return lint_config(value_or_throw(parse_config(toml + "[stop]\nseconds = 1\n", "c.toml")));
    };
    EXPECT_THAT(remarks("[islands]\ncount = 3\nspawn = 'best'\nmost = 3\n"),
                ::testing::Contains(::testing::HasSubstr("no island is ever added")));
    EXPECT_THAT(remarks("[novelty]\nmax_returning = 0.5\n"),
                ::testing::Contains(::testing::HasSubstr("novelty.ancestors")));
    EXPECT_THAT(remarks("[selector]\nname = 'uniform'\n[intensity]\nname = 'improvement'\n"),
                ::testing::Contains(::testing::HasSubstr("intensity.name")));
    EXPECT_THAT(remarks("[islands]\ncount = 3\nspawn = 'best'\nmost = 4\n"),
                ::testing::Not(::testing::Contains(::testing::HasSubstr("no island"))));
}

TEST(GrowingTopology, IsOverAsManyIslandsAsThereAre) {
    CampaignConfig config;
    config.islands.count = 2;
    config.migration.topology = "ring";
    GrowingTopology topology(config);
    EXPECT_EQ(topology.over(2).edges().size(), 2u);
    EXPECT_EQ(topology.over(4).edges().size(), 4u);
    EXPECT_EQ(topology.over(4).edges_from(3).front().to, 0u);
    EXPECT_TRUE(topology.over(5).strongly_connected());
}

}  // namespace
}  // namespace atl
