// A campaign one of whose operators is an agent: a real process.

#include "mutators/model/agent_model.hpp"
#include "search/recorded_run.hpp"
#include "tests/unit/search/model_campaign_fixture.hpp"

namespace atl {
namespace {

using ::testing::HasSubstr;
using testing::ModelCampaign;
using testing::small_config;

CampaignConfig agents_config() {
    CampaignConfig config = small_config();
    config.stop.max_evaluations = 14;
    config.agent.command = {"python3", ATOLL_SOURCE_DIR "/tests/support/scripted_agent.py",
                            "evolves"};
    config.agent.evaluations = 2;
    return config;
}

/// Asks an agent and, where it is told so, the fixture's model.
struct AgentCampaign : ModelCampaign {
    AgentCampaign() : ModelCampaign(agents_config()) {
        config.mix.weights = {{"agent", 1}};
        ModelOperatorOptions options;
        options.agent = config.agent;
        operators = value_or_throw(campaign_operators(*task, options));
        model = &router;
    }

    AgentModel agent{config.agent};
    PeerRouter router{&instant, &agent};
};

TEST(AgentCampaign, WhatAnAgentHadEvaluatedAreItsTicketsChildren) {
    AgentCampaign campaign;
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_TRUE(report->finished) << report->reason;
    std::size_t children = 0;
    for (const Individual& individual : report->state.individuals()) {
        if (individual.operator_name == "agent") {
            ++children;
            EXPECT_LE(individual.id.step(), 1u) << "two evaluations for each session";
            EXPECT_THAT(individual.description, HasSubstr("agent of "));
            EXPECT_FALSE(individual.reply.is_zero());
        }
    }
    EXPECT_GE(children, 10u);
    const ModelStats& stats = report->state.exchanged().at("agent");
    EXPECT_GT(stats.calls, 5u);
    EXPECT_EQ(report->state.exchanged().size(), 1u) << "no model was asked";
    for (const Event& event : campaign.events()) {
        if (const auto* issued = std::get_if<TicketIssued>(&event)) {
            EXPECT_EQ(issued->model, "") << "whom the ticket did not ask earns nothing by it";
        }
    }
}

TEST(AgentCampaign, ItsRecordNeedsNoAgent) {
    AgentCampaign campaign;
    ASSERT_TRUE(campaign.run());
    auto record = value_or_throw(RecordedRun::open(campaign.path() / "journal"));
    AgentCampaign again;
    again.model = nullptr;
    again.record = record.get();
    testing::FakeEvaluatorOptions manual;
    manual.manual = true;  // answers nothing
    const auto report = again.run(manual);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(record->next(), nullptr);
    EXPECT_EQ(again.events().size(), campaign.events().size());
}

TEST(AgentCampaign, ConfigsNameTheAgentOrDoWithoutItsOperator) {
    const auto config = [](const std::string& toml) { return parse_config(toml, "c.toml"); };
    const auto without = config("[operators.weights]\nagent = 1\n");
    ASSERT_FALSE(without);
    EXPECT_THAT(without.error().message(), HasSubstr("agent needs one, and there is none"));
    const auto with = config("[agent]\ncommand = [\"a\", \"b\"]\nseconds = 5\nevaluations = 3\n");
    ASSERT_TRUE(with) << with.error().message();
    EXPECT_EQ(with->agent.command, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(with->agent.evaluations, 3);
    EXPECT_THAT(operator_weights(*with), ::testing::Contains(::testing::Pair("agent", 1.0)));
    EXPECT_THAT(operator_weights(*with),
                ::testing::Not(::testing::Contains(::testing::Pair("rewrite", 1.0))));
    EXPECT_THAT(operator_weights(*config("")),
                ::testing::Not(::testing::Contains(::testing::Pair("agent", 1.0))));
    EXPECT_FALSE(config("[agent]\ncommand = [\"a\"]\naddress = \"unix:/b\"\n"));
    EXPECT_FALSE(config("[agent]\naddress = \"b\"\n"));
}

}  // namespace
}  // namespace atl
