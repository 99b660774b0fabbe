#include "tests/unit/population/samples.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

#include <chrono>
#include <map>
#include <set>
#include <thread>

namespace atl {
namespace {

using testing::Campaign;
using testing::FakeEvaluatorOptions;

CampaignConfig parsed(const std::string& toml) {
    return value_or_throw(parse_config(toml, "c.toml"));
}

/// How many evaluations the busiest ticket had.
std::size_t most_evaluations(const CampaignState& state) {
    std::map<std::uint64_t, std::size_t> counts;
    std::size_t most = 0;
    for (const Individual& individual : state.individuals()) {
        if (individual.operator_name != "starter" && !individual.duplicate) {
            most = std::max(most, ++counts[individual.id.ticket()]);
        }
    }
    return most;
}

TEST(EngineKeys, ATicketAsksForNoMoreEvaluationsThanItMay) {
    for (const std::int64_t allowed : {1, 6}) {
        Campaign campaign;
        campaign.config.engine.ticket_evaluations = allowed;
        campaign.config.mix.weights = {{"tune", 1}};
        const auto report = campaign.run();
        ASSERT_TRUE(report) << report.error().message();
        EXPECT_EQ(most_evaluations(report->state), static_cast<std::size_t>(allowed));
    }
}

// Each answer takes longer than the short interval and wakes the engine, so that it must sync; the
// long one is longer than the whole campaign.
TEST(EngineKeys, WhatWasMeasuredIsMadeDurableAtTheInterval) {
    const auto syncs = [](std::int64_t interval_ms) {
        Campaign campaign;
        campaign.config.engine.sync_interval_ms = interval_ms;
        campaign.config.engine.commit_order = "ticket";  // nothing else waits for the interval
        campaign.config.stop.max_evaluations = 30;
        FakeEvaluatorOptions slow;
        slow.time_ns = [](const Candidate& candidate) {
            std::this_thread::sleep_for(std::chrono::milliseconds(3));
            return testing::small_time_ns(candidate);
        };
        const auto report = campaign.run(slow);
        EXPECT_TRUE(report) << report.error().message();
        return campaign.recorder.syncs;
    };
    EXPECT_GT(syncs(1), syncs(60'000) + 10);
}

// Tickets for which no budget is left wait for news of it, not for the next sync.
TEST(EngineKeys, ALongIntervalDoesNotDelayTheEnd) {
    Campaign campaign;
    campaign.config.engine.sync_interval_ms = 3'600'000;  // it would take its hour
    campaign.config.stop.max_evaluations = 30;
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->reason, "budget of 30 evaluations spent");
    EXPECT_EQ(report->state.evaluations(), 30u);
}

TEST(EngineKeys, EqualSeedsGiveEqualCampaignsAndOthersDoNot) {
    const auto found = [](std::int64_t seed) {
        Campaign campaign;
        campaign.config.campaign.seed = seed;
        campaign.config.engine.commit_order = "ticket";
        campaign.config.stop.max_evaluations = 40;
        const auto report = campaign.run();
        EXPECT_TRUE(report) << report.error().message();
        std::vector<std::string> keys;
        for (const Individual& individual : report->state.individuals()) {
            keys.push_back(individual.id.text() + " " + individual.key.hex());
        }
        return keys;
    };
    const auto first = found(3);
    EXPECT_EQ(found(3), first);
    EXPECT_NE(found(4), first);
}

TEST(EngineKeys, FitnessIsTheScoreThatIsAskedFor) {
    for (const std::string preset : {"speedup", "light"}) {
        Campaign campaign;
        campaign.config.score = preset;
        campaign.config.stop.max_evaluations = 10;
        const auto report = campaign.run();
        ASSERT_TRUE(report) << report.error().message();
        const Individual& first = report->state.individuals().front();
        // The first starter is what speed-ups are measured against; its light is 100 ns.
        EXPECT_NEAR(first.fitness, preset == "light" ? 100 / first.time_ns : 1, 1e-9) << preset;
    }
}

TEST(EngineKeys, TuneUsesTheStrategyThatIsAskedFor) {
    for (const std::string strategy : {"local", "random", "halving"}) {
        Campaign campaign;
        campaign.config.operators = parsed("tune.strategy = '" + strategy + "'\n").operators;
        campaign.config.mix.weights = {{"tune", 1}};
        campaign.config.stop.max_evaluations = 20;
        const auto report = campaign.run();
        ASSERT_TRUE(report) << report.error().message();
        for (const Individual& individual : report->state.individuals()) {
            if (individual.operator_name == "tune") {
                EXPECT_THAT(individual.description, ::testing::StartsWith(strategy));
            }
        }
        EXPECT_GT(report->state.individuals().size(), 10u);
    }
}

/// Who leaves island 0, which has eight members, for island 1 after the eighth commit.
std::vector<Migrated> migrants(const std::string& toml, std::uint64_t seed = 1) {
    const CampaignConfig config = parsed(toml);
    CampaignState state({2, {"ranked", 8, 0.0}, 0.9});
    samples::require(state.apply(samples::campaign_started()));
    for (std::uint64_t ticket = 0; ticket < 8; ++ticket) {
        samples::require(state.apply(samples::ticket_issued(ticket, 0)));
        samples::require(state.apply(Evaluated{samples::individual(
            ticket, 0, 0, 1.0 + static_cast<double>(ticket), std::to_string(ticket))}));
        samples::require(state.apply(TicketCommitted{ticket, 0, 0, 0, 0}));
    }
    return due_migrations(state, campaign_topology(config), config.migration.policy, seed);
}

TEST(EngineKeys, MigrationGetsItsSettings) {
    EXPECT_EQ(migrants("migration.every = 8\n").size(), 1u);
    EXPECT_EQ(migrants("migration.every = 5\n").size(), 0u);
    EXPECT_EQ(migrants("migration.every = 8\nmigration.migrants = 3\n").size(), 3u);
    const auto seen = [](const std::string& more) {
        std::set<std::uint64_t> tickets;
        for (std::uint64_t seed = 0; seed < 200; ++seed) {
            for (const Migrated& one : migrants("migration.every = 8\n" + more, seed)) {
                tickets.insert(one.individual.ticket());
            }
        }
        return tickets;
    };
    EXPECT_EQ(seen("migration.choice = 'best'\nmigration.top = 2\n"), (std::set<std::uint64_t>{7}));
    EXPECT_EQ(seen("migration.choice = 'uniform'\nmigration.top = 2\n"),
              (std::set<std::uint64_t>{6, 7}));
    EXPECT_EQ(seen("migration.choice = 'uniform'\nmigration.top = 3\n"),
              (std::set<std::uint64_t>{5, 6, 7}));
}

}  // namespace
}  // namespace atl
