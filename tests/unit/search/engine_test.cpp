#include "tests/unit/search/campaign_fixture.hpp"

#include <set>

namespace atl {
namespace {

using testing::Campaign;
using testing::FakeEvaluator;
using testing::FakeEvaluatorOptions;
using testing::small_config;

[[maybe_unused]] CampaignConfig in_order(CampaignConfig config = small_config()) {
    config.engine.commit_order = "ticket";
    return config;
}

class BothOrders : public ::testing::TestWithParam<const char*> {
  protected:
    static CampaignConfig config() {
        CampaignConfig c = small_config();
        c.engine.commit_order = GetParam();
        return c;
    }
};

INSTANTIATE_TEST_SUITE_P(Engine, BothOrders, ::testing::Values("arrival", "ticket"));

TEST_P(BothOrders, FindsTheOptimumAndConfirmsIt) {
    Campaign campaign(config());
    campaign.config.stop.max_evaluations = 400;
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_TRUE(report->finished);
    EXPECT_EQ(report->reason, "budget of 400 evaluations spent");
    ASSERT_NE(report->state.best(), nullptr);
    EXPECT_GT(report->state.best()->fitness, 1.0);
    ASSERT_TRUE(report->state.confirmed());
    EXPECT_TRUE(report->state.confirmed()->accepted);
    EXPECT_EQ(report->state.confirmed()->individual, report->state.best()->id);
    EXPECT_GT(report->state.confirmed()->fitness, 1.0);
    EXPECT_TRUE(report->state.stopped());
}

TEST_P(BothOrders, EveryIslandGetsChildrenOfItsOwnMembers) {
    Campaign campaign(config());
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    const CampaignState& state = report->state;
    std::set<std::uint32_t> with_children;
    std::set<std::pair<std::uint64_t, std::uint32_t>> migrated;
    for (const Event& event : campaign.events()) {
        if (const auto* m = std::get_if<Migrated>(&event)) {
            migrated.emplace(m->individual.value, m->to);
        }
    }
    for (const Individual& individual : state.individuals()) {
        for (const Parent& parent : individual.parents) {
            with_children.insert(individual.island);
            EXPECT_TRUE(state.find(parent.id)->island == individual.island ||
                        migrated.contains({parent.id.value, individual.island}));
            EXPECT_GT(parent.probability, 0);
            EXPECT_LE(parent.probability, 1);
        }
    }
    EXPECT_EQ(with_children.size(), 2u);
    EXPECT_GT(state.migrations(), 0u);
}

TEST_P(BothOrders, StartersOfDifferentStructureBeginOnDifferentIslands) {
    Campaign campaign(config());
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    const auto& all = report->state.individuals();
    EXPECT_EQ(all[0].starter, "loops");
    EXPECT_EQ(all[0].island, 0u);
    EXPECT_DOUBLE_EQ(all[0].fitness, 1.0);
    EXPECT_EQ(all[1].starter, "tiles");
    EXPECT_EQ(all[1].island, 1u);
}

TEST_P(BothOrders, EqualCandidatesAreNotEvaluatedAgain) {
    Campaign campaign(config());
    campaign.config.engine.tickets_in_flight = 1;
    FakeEvaluatorOptions options;
    options.time_ns = testing::small_time_ns;
    FakeEvaluator evaluator(options);
    const auto report = campaign.run_with(evaluator);
    ASSERT_TRUE(report) << report.error().message();
    std::set<Digest> keys;
    std::size_t measured = 0;
    for (const EvaluationRequest& request : evaluator.requests()) {
        if (request.level == Level::measure) {
            ++measured;
            EXPECT_TRUE(keys.insert(candidate_key(request.candidate)).second);
        }
    }
    EXPECT_EQ(measured, report->state.evaluations());
}

TEST(Engine, ArrivalOrderKeepsTheBudgetExactly) {
    Campaign campaign;
    campaign.config.stop.max_evaluations = 50;
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->state.evaluations(), 50u);
}

}  // namespace
}  // namespace atl
