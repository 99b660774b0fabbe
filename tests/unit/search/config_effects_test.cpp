#include "search/bandits/bandit.hpp"
#include "search/decide.hpp"
#include "search/selectors/selector.hpp"
#include "search/stops/stop_rule.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

namespace atl {
namespace {

using testing::Campaign;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using testing::FakeEvaluator;
using testing::FakeEvaluatorOptions;

CampaignConfig parsed(const std::string& toml) {
    return value_or_throw(parse_config(toml, "c.toml"));
}

// What a key says reaches the strategy that it is for; the strategies have tests of their own.
TEST(ConfigEffects, SelectorsGetTheirSettings) {
    const std::vector<SelectorEntry> entries = {{3, 0}, {2, 0}, {1, 0}};
    const auto best = [&](const std::string& toml) {
        return make_selector(parsed(toml).selector).probabilities(entries)[0];
    };
    EXPECT_NEAR(best("selector.name = 'tournament'\nselector.tournament_size = 1\n"), 1.0 / 3,
                1e-12);
    EXPECT_NEAR(best("selector.name = 'tournament'\nselector.tournament_size = 3\n"), 19.0 / 27,
                1e-12);
    EXPECT_NEAR(best("selector.name = 'weighted'\nselector.lambda = 0\n"), 1.0 / 3, 1e-12);
    EXPECT_GT(best("selector.name = 'weighted'\nselector.lambda = 5\n"), 0.6);
    EXPECT_NEAR(best("selector.name = 'uniform'\n"), 1.0 / 3, 1e-12);
    const std::string clusters = "selector.name = 'clusters'\nselector.temperature = 1e6\n";
    EXPECT_NEAR(best(clusters), 1.0 / 3, 1e-3);
    EXPECT_NEAR(best(clusters + "selector.cluster_width = 1.7\n"), 0.5, 1e-3)
        << "3 is alone, 2 and 1 share a cluster";
    EXPECT_EQ(best("selector.name = 'beam'\nselector.beam = 2\n"), 0.5);
}

TEST(ConfigEffects, ClustersCoolInTheirPeriod) {
    const std::vector<SelectorEntry> entries = {{1.1, 0}, {1, 0}};
    const auto logit = [&](const std::string& toml, std::uint64_t programs) {
        const auto p = make_selector(parsed("selector.name = 'clusters'\n" + toml).selector)
                           .probabilities(entries, {programs});
        return std::log(p[0] / p[1]);
    };
    EXPECT_NEAR(logit("", 0), 1, 1e-9);
    EXPECT_NEAR(logit("selector.temperature_period = 4\n", 2), 2, 1e-9);
}

TEST(ConfigEffects, UctGetsItsSettings) {
    std::vector<SelectorEntry> entries(2);
    entries[0].tree = {k_no_parent, 9, 3, 2, 4.5, 0.6};
    entries[1].tree = {k_no_parent, 1, 0, 0, 0.4, 0.7};
    const auto uct = [&](const std::string& toml) {
        return make_selector(parsed("selector.name = 'uct'\n" + toml).selector);
    };
    EXPECT_THAT(uct("").probabilities(entries), ElementsAre(0, 1));
    EXPECT_THAT(uct("selector.tree_exploration = 0\n").probabilities(entries), ElementsAre(1, 0));
    EXPECT_THAT(
        uct("selector.tree_exploration = 0\nselector.tree_max_weight = 1\n").probabilities(entries),
        ElementsAre(0, 1));
    EXPECT_EQ(uct("").large_step(entries[0]), 1);
    EXPECT_EQ(uct("selector.small_step_limit = 3\n").large_step(entries[0]), 0.2);
    EXPECT_EQ(uct("selector.large_steps = 0.5\n").large_step(entries[1]), 0.5);
}

TEST(ConfigEffects, LargeStepsShowAsManyAboveAsAskedFor) {
    EXPECT_EQ(Strategies(parsed("selector.above = 4\n")).shown_above, 4u);
}

TEST(ConfigEffects, BanditsGetTheirSettings) {
    Arm earning;
    earning.stats.issued = 10;
    earning.stats.decayed_reward = 0.2;
    earning.stats.decayed_count = 2;
    Arm rare;
    rare.stats.issued = 2;
    rare.stats.decayed_reward = 0.1;
    rare.stats.decayed_count = 2;
    const std::vector<Arm> arms = {earning, rare};
    const auto shares = [&](const std::string& toml) {
        return make_bandit(parsed(toml).mix).probabilities(arms);
    };
    EXPECT_THAT(shares("operators.bandit = 'fixed'\n"), ElementsAre(0.5, 0.5));
    EXPECT_THAT(shares("operators.exploration = 0.1\noperators.epsilon = 0.2\n"),
                ElementsAre(DoubleNear(0.9, 1e-12), DoubleNear(0.1, 1e-12)));
    EXPECT_THAT(shares("operators.exploration = 1\noperators.epsilon = 0.4\n"),
                ElementsAre(DoubleNear(0.2, 1e-12), DoubleNear(0.8, 1e-12)));
}

// Each table has its own; the formulas are in bandits_test.
TEST(ConfigEffects, EachKindOfArmHasABanditOfItsOwn) {
    Arm dear;
    dear.stats.issued = 10;
    dear.stats.decayed_reward = 0.2;
    dear.stats.decayed_count = 2;
    dear.stats.priced = 1;
    dear.stats.nano_dollars = 8;
    Arm cheap = dear;
    cheap.stats.decayed_reward = 0.18;
    cheap.stats.nano_dollars = 2;
    cheap.stats.failed_in_row = 4;
    const std::vector<Arm> arms = {dear, cheap};
    const auto first = [&](const std::string& toml) {
        const CampaignConfig config = parsed(toml);
        return std::vector<double>{make_bandit(config.mix).probabilities(arms)[0],
                                   make_bandit(config.model_choice).probabilities(arms)[0],
                                   make_bandit(config.strategy_choice).probabilities(arms)[0]};
    };
    EXPECT_THAT(first(""), ElementsAre(0.9, 0.1, 0.9)) << "costs matter to the choice of models";
    const std::vector<std::string> tables = {"operators", "model_choice", "strategy_choice"};
    for (std::size_t i = 0; i < tables.size(); ++i) {
        const auto with = [&](const std::string& key) { return first(tables[i] + "." + key)[i]; };
        EXPECT_EQ(with("bandit = 'fixed'\n"), 0.5) << tables[i];
        EXPECT_NEAR(with("cost_weight = 0\n"), 0.9, 1e-12) << tables[i];
        EXPECT_NEAR(with("cost_weight = 1\n"), 0.1, 1e-12) << tables[i];
        EXPECT_NEAR(with("mask_after = 4\n"), 1, 1e-12) << tables[i];
        EXPECT_NEAR(with("epsilon = 0\n"), i == 1 ? 0 : 1, 1e-12) << tables[i];
    }
}

TEST(ConfigEffects, EdgesGetTheirProbability) {
    const Topology ring = campaign_topology(parsed("migration.edge_probability = 0.25\n"));
    ASSERT_FALSE(ring.edges().empty());
    for (const Edge& edge : ring.edges()) {
        EXPECT_EQ(edge.probability, 0.25);
    }
}

TEST(ConfigEffects, StopRulesGetTheirLimits) {
    Campaign campaign;
    campaign.config.stop.max_evaluations = 0;
    campaign.config.stop.stagnation_commits = 3;
    FakeEvaluatorOptions flat;
    flat.time_ns = [](const Candidate&) { return 1000.0; };
    const auto stagnated = campaign.run(flat);
    ASSERT_TRUE(stagnated) << stagnated.error().message();
    EXPECT_EQ(stagnated->reason, "no better best in 3 commits");

    const StopView view{stagnated->state, 0, 3'000'000'000};
    EXPECT_EQ(make_stop_rule(parsed("stop.seconds = 3\n").stop).reason(view),
              "time budget of 3 s spent");
    EXPECT_EQ(make_stop_rule(parsed("stop.seconds = 4\n").stop).reason(view), std::nullopt);
}

TEST(ConfigEffects, ProposalsInARowThatAreAllKnownEndASearch) {
    CampaignState state(StateSettings{});
    ASSERT_TRUE(state.apply(CampaignStarted{}));
    for (std::uint64_t ticket = 0; ticket < 4; ++ticket) {
        TicketIssued issued;
        issued.ticket = ticket;
        issued.operator_name = "starter";
        issued.commits_seen = state.commits();
        ASSERT_TRUE(state.apply(issued));
        Individual individual;
        individual.id = IndividualId::make(ticket, 0);
        individual.key = content_id("program");
        individual.outcome = Outcome::passed;
        individual.fitness = 1;
        individual.duplicate = ticket > 0;
        ASSERT_TRUE(state.apply(Evaluated{individual}));
        ASSERT_TRUE(state.apply(TicketCommitted{ticket, 0, 0, 0, 0}));
    }
    const StopView view{state, 1, 0};
    EXPECT_EQ(make_stop_rule(parsed("stop.exhausted_proposals = 3\n").stop).reason(view),
              "nothing new in the last 3 proposals");
    EXPECT_EQ(make_stop_rule(parsed("stop.exhausted_proposals = 4\n").stop).reason(view),
              std::nullopt);
}

/// What an evaluator is asked in a campaign of this config.
std::vector<EvaluationRequest> requests(Campaign& campaign) {
    FakeEvaluatorOptions options;
    options.time_ns = testing::small_time_ns;
    FakeEvaluator evaluator(options);
    const auto report = campaign.run_with(evaluator);
    EXPECT_TRUE(report) << report.error().message();
    return evaluator.requests();
}

TEST(ConfigEffects, EvaluationsGetTheirCutoffAndDeadline) {
    for (const double factor : {0.0, 2.0}) {
        Campaign campaign;
        campaign.config.stop.max_evaluations = 20;
        campaign.config.evaluation.cutoff_factor = factor;
        campaign.config.evaluation.deadline_s = 77'000;
        std::size_t cut = 0;
        for (const EvaluationRequest& request : requests(campaign)) {
            EXPECT_EQ(request.deadline.count(), 77'000);
            cut += request.cutoff_ns > 0 ? 1 : 0;
        }
        EXPECT_EQ(cut > 0, factor > 0);
    }
}

TEST(ConfigEffects, BaselinesAreMeasuredBesideTheFinalBestWhenAskedFor) {
    for (const bool wanted : {true, false}) {
        Campaign campaign;
        auto task = std::make_shared<Task>(*campaign.task);
        task->baselines = {{"library", "int z;", {}}};
        campaign.task = task;
        campaign.config.stop.max_evaluations = 20;
        campaign.config.confirm.baselines = wanted;
        const std::vector<EvaluationRequest> asked = requests(campaign);
        ASSERT_EQ(asked.back().level, Level::confirm);
        bool measured = false;
        for (const Rival& rival : asked.back().rivals) {
            measured = measured || rival.name == "library";
        }
        EXPECT_EQ(measured, wanted);
    }
}

TEST(ConfigEffects, OnlyWhatIsConfirmedIsProfiled) {
    for (const bool wanted : {true, false}) {
        Campaign campaign;
        campaign.config.stop.max_evaluations = 20;
        campaign.config.confirm.profile = wanted;
        for (const EvaluationRequest& request : requests(campaign)) {
            EXPECT_EQ(request.profile, wanted && request.level == Level::confirm);
        }
    }
}

TEST(ConfigEffects, NothingIsConfirmedDuringASearchThatGivesItNoTime) {
    for (const double share : {0.0, 1.0}) {
        Campaign campaign;
        campaign.config.confirm.share = share;
        campaign.config.confirm.min_gain = 0;
        std::size_t confirmations = 0;
        for (const EvaluationRequest& request : requests(campaign)) {
            confirmations += request.level == Level::confirm ? 1 : 0;
        }
        if (share > 0) {
            EXPECT_GT(confirmations, 2u);
        } else {
            EXPECT_EQ(confirmations, 1u) << "the final best always is";
        }
    }
}

}  // namespace
}  // namespace atl
