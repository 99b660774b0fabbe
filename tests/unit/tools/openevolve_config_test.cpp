#include "tools/atoll/openevolve_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ImportedConfig imported(const std::string& yaml) {
    auto result = import_openevolve(yaml, "oe.yaml", CampaignConfig());
    EXPECT_TRUE(result) << result.error().message();
    return result ? std::move(*result) : ImportedConfig();
}

std::vector<std::string> unhonoured(const ImportedConfig& config) {
    std::vector<std::string> keys;
    for (const UnhonouredKey& key : config.unhonoured) {
        keys.push_back(key.key + ":" + std::to_string(key.line));
        EXPECT_FALSE(key.reason.empty()) << key.key;
    }
    return keys;
}

TEST(OpenEvolveConfig, WhatHasAnEqualIsHonoured) {
    const ImportedConfig result = imported(R"(
max_iterations: 200
random_seed: 5
early_stopping_patience: 30
database:
  num_islands: 4
  migration_interval: 25
  migration_rate: 0.2
  population_size: 100
evaluator:
  memory_limit_mb: 512
)");
    EXPECT_EQ(result.config.stop.max_evaluations, 200);
    EXPECT_EQ(result.config.campaign.seed, 5);
    EXPECT_EQ(result.config.stop.stagnation_commits, 30);
    EXPECT_EQ(result.config.islands.count, 4);
    EXPECT_EQ(result.config.migration.policy.every_commits, 25);
    EXPECT_EQ(result.config.migration.policy.migrants, 5) << "0.2 of an island's 100 / 4";
    EXPECT_EQ(result.config.evaluation.memory_mb, 512);
    EXPECT_EQ(result.honoured.size(), 7u);
    EXPECT_THAT(unhonoured(result), ElementsAre("database.population_size:9"));
}

TEST(OpenEvolveConfig, EveryOtherKeyIsNamedWithItsLine) {
    const ImportedConfig result = imported(R"(frobnicate: 1
log_level: DEBUG
llm: {api_key: secret, frob: 2}
database: [1]
nested:
  database: 3
)");
    EXPECT_THAT(unhonoured(result), ElementsAre("frobnicate:1", "log_level:2", "llm.api_key:3",
                                                "llm.frob:3", "database:4", "nested:6"));
    EXPECT_THAT(result.honoured, IsEmpty());
    for (const UnhonouredKey& key : result.unhonoured) {
        EXPECT_THAT(key.reason, ::testing::Not(HasSubstr("secret")));
    }
}

TEST(OpenEvolveConfig, ModelsGetTablesAndKeysStayWhereTheyAre) {
    const ImportedConfig result = imported(R"(llm:
  primary_model: gpt-x
  secondary_model: "5"
  api_base: http://host/v1
  api_key: ${MY_KEY}
  temperature: 0.3
  max_tokens: 2000
  timeout: 90
  retries: 2
)");
    ASSERT_EQ(result.config.models.size(), 2u);
    const ModelSettings& primary = result.config.models[0];
    EXPECT_EQ(primary.name, "primary");
    EXPECT_EQ(primary.model, "gpt-x");
    EXPECT_EQ(primary.url, "http://host/v1");
    EXPECT_EQ(primary.key_env, "MY_KEY");
    EXPECT_EQ(primary.timeout_s, 90);
    EXPECT_EQ(primary.attempts, 3) << "two more than the first";
    EXPECT_EQ(result.config.models[1].model, "5");
    EXPECT_EQ(result.config.asking.temperature, 0.3);
    EXPECT_EQ(result.config.asking.max_tokens, 2000);
    EXPECT_THAT(result.unhonoured, IsEmpty());
    EXPECT_TRUE(check_config(result.config, "imported"));
}

TEST(OpenEvolveConfig, ListedModelsHaveAddressesOfTheirOwn) {
    const ImportedConfig result = imported(
        "llm:\n  models:\n    - {name: a, weight: 0.8}\n    - {name: b, api_base: "
        "'http://b/v1'}\n");
    ASSERT_EQ(result.config.models.size(), 2u);
    EXPECT_EQ(result.config.models[0].url, "https://api.openai.com/v1");
    EXPECT_EQ(result.config.models[1].url, "http://b/v1");
    EXPECT_THAT(unhonoured(result), ElementsAre("llm.models[0].weight:3"));
}

TEST(OpenEvolveConfig, TheGridsAxesComeFromDimensionsBinsAndLength) {
    const ImportedConfig result = imported(R"(
max_code_length: 5000
database:
  feature_dimensions: [complexity, diversity]
  feature_bins: {complexity: 12, diversity: 3}
)");
    EXPECT_THAT(result.config.archive.axes, ElementsAre("source_bytes 0 5000 12"));
    EXPECT_THAT(unhonoured(result),
                ElementsAre("max_code_length:2", "database.feature_dimensions:4"));
    EXPECT_THAT(imported("database: {feature_bins: 7}").config.archive.axes,
                ElementsAre("source_bytes 0 10000 7"));
}

TEST(OpenEvolveConfig, ValuesThatAreWrongOrOutOfRangeAreNamedToo) {
    const ImportedConfig result = imported(R"(
max_iterations: many
random_seed: "5"
database: {num_islands: 1000, migration_rate: [1], migration_interval: 2.5}
)");
    EXPECT_THAT(unhonoured(result),
                ElementsAre("max_iterations:2", "random_seed:3", "database.num_islands:4",
                            "database.migration_rate:4", "database.migration_interval:4"));
    EXPECT_THAT(result.unhonoured[2].reason, HasSubstr("out of range"));
    EXPECT_EQ(result.config.islands.count, CampaignConfig().islands.count);
}

TEST(OpenEvolveConfig, NothingIsTheDefault) {
    const ImportedConfig result = imported("early_stopping_patience: null\ndatabase:\n");
    EXPECT_EQ(result.config.stop.stagnation_commits, 0);
    EXPECT_THAT(result.unhonoured, IsEmpty());
}

TEST(OpenEvolveConfig, WhatIsNoMapIsNoConfig) {
    for (const char* text : {"", "- a\n", "text"}) {
        const auto result = import_openevolve(text, "oe.yaml", CampaignConfig());
        ASSERT_FALSE(result) << text;
        EXPECT_THAT(result.error().message(), HasSubstr("no OpenEvolve config"));
    }
}

}  // namespace
}  // namespace atl
