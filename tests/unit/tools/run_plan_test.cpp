#include "tools/atoll/run_plan.hpp"

#include "tools/atoll/model_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace atl {
namespace {

using ::testing::HasSubstr;

CampaignConfig config_of(const std::string& toml) {
    auto config = parse_config(toml, "c.toml");
    EXPECT_TRUE(config) << config.error().message();
    return *config;
}

Task task_of(std::size_t source_bytes) {
    Task task;
    task.name = "made_up";
    task.kind = "cpu_cpp";
    task.starters = {{"short", "int a;"}, {"long", std::string(source_bytes, 'x')}};
    Workload timed;
    Workload hidden;
    hidden.hidden = true;
    task.workloads = {timed, timed, hidden};
    return task;
}

constexpr const char* k_config = R"(
[models.coder]
url = "http://127.0.0.1:1/v1"
price = {prompt = 2, completion = 10}
[operators]
weights = {rewrite = 1, crossover = 1}
[asking]
retries = 1
repairs = 0
prompt_tokens = 5000
[memory]
insight_every = 0
[stop]
max_evaluations = 200
[evaluation]
measure_seconds = 0.5
)";

// 100 of 200 tickets ask; a reply has 1000 + 200 tokens.
TEST(RunPlan, IsWhatTheConfigLeadsTo) {
    const RunPlan plan = plan_run(config_of(k_config), task_of(3000), 1500);
    EXPECT_TRUE(plan.budgeted);
    EXPECT_EQ(plan.evaluations, 200);
    EXPECT_DOUBLE_EQ(plan.model_share, 0.5);
    EXPECT_DOUBLE_EQ(plan.calls.least, 100);
    EXPECT_NEAR(plan.calls.expected, 133.333, 0.001);
    EXPECT_DOUBLE_EQ(plan.calls.most, 200);
    EXPECT_DOUBLE_EQ(plan.prompt_tokens.least, 150'000);
    EXPECT_DOUBLE_EQ(plan.prompt_tokens.most, 1'000'000);
    EXPECT_DOUBLE_EQ(plan.completion_tokens.least, 120'000);
    ASSERT_TRUE(plan.dollars);
    EXPECT_NEAR(plan.dollars->least, 0.15 * 2 + 0.12 * 10, 1e-9);
    EXPECT_DOUBLE_EQ(plan.device_seconds.expected, 200 * 2 * 0.5);
    const std::string text = plan_text(plan, config_of(k_config));
    EXPECT_THAT(text, HasSubstr("Calls          about 133 (100 to 200)"));
    EXPECT_THAT(text, HasSubstr("1, asked by 50 % of the tickets"));
    EXPECT_THAT(text, HasSubstr("Nothing was asked"));
    EXPECT_EQ(nlohmann::json::parse(plan_json(plan))["calls"]["most"], 200);
}

TEST(RunPlan, CountsPlansAndInsights) {
    CampaignConfig config = config_of(k_config);
    config.mix.weights = {{"plan_then_code", 1}, {"rewrite", 1}};
    config.memory.insight_every = 50;
    EXPECT_DOUBLE_EQ(plan_run(config, task_of(30), 100).calls.least, 100 * 2 + 100 + 200.0 / 50);
}

TEST(RunPlan, SaysWhatItDoesNotKnow) {
    CampaignConfig config = config_of(k_config);
    config.models[0].price.reset();
    config.stop.max_evaluations = 0;
    const RunPlan plan = plan_run(config, task_of(30), 100);
    EXPECT_FALSE(plan.dollars);
    EXPECT_FALSE(plan.budgeted);
    EXPECT_EQ(plan.evaluations, k_planned_evaluations);
    EXPECT_THAT(plan_text(plan, config), HasSubstr("a model has no price"));
    EXPECT_THAT(plan_text(plan, config), HasSubstr("no stop.max_evaluations"));
    const CampaignConfig none = config_of("");
    EXPECT_THAT(plan_text(plan_run(none, task_of(30), 0), none), HasSubstr("none are asked"));
}

TEST(RunPlan, CountsTheTokensOfARealPrompt) {
    const auto tokens = planned_prompt_tokens(config_of(k_config), task_of(3000));
    ASSERT_TRUE(tokens) << tokens.error().message();
    EXPECT_GT(*tokens, 1000u);
    EXPECT_EQ(planned_prompt_tokens(config_of(""), task_of(30)), 0u);
}

ModelExchanged exchange(std::int64_t prompt, std::int64_t cached, std::int64_t nano_dollars) {
    ModelExchanged event;
    event.model = "coder";
    event.request = content_id("request");
    event.reply = content_id("reply");
    event.prompt_tokens = prompt;
    event.cached_tokens = cached;
    event.completion_tokens = prompt < 0 ? -1 : 50;
    event.nano_dollars = nano_dollars;
    return event;
}

CampaignState state_with(const std::vector<ModelExchanged>& exchanges) {
    CampaignState state{StateSettings()};
    EXPECT_TRUE(state.apply(CampaignStarted{}));
    EXPECT_TRUE(state.apply(SessionOpened{}));
    TicketIssued issued;
    issued.operator_name = "starter";
    EXPECT_TRUE(state.apply(issued));
    for (const ModelExchanged& one : exchanges) {
        EXPECT_TRUE(state.apply(one));
    }
    return state;
}

TEST(ModelReport, SaysWhatWasAskedAndWhatIsNotKnown) {
    EXPECT_EQ(model_lines(state_with({})), "");
    EXPECT_EQ(model_summary(state_with({})), "");
    const CampaignState state =
        state_with({exchange(1000, 250, 2'000'000'000), exchange(-1, -1, -1)});
    EXPECT_THAT(model_lines(state), HasSubstr("coder          2 calls, 1000 + 50 tokens (25 % of "
                                              "the prompts cached), at least $2"));
    EXPECT_EQ(model_summary(state), "2 calls, $2");
    const auto json = model_json(state);
    EXPECT_EQ(json[0]["cached_share"], 0.25);
    EXPECT_EQ(json[0]["without_usage"], 1);
}

}  // namespace
}  // namespace atl
