#include "search/recipes.hpp"

#include "reward/base/settings.hpp"
#include "tests/support/names_in.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace atl {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const std::filesystem::path k_recipes =
    std::filesystem::path(ATOLL_SOURCE_DIR) / "experiments" / "recipes";

class ShippedRecipe : public ::testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        const Expected<Recipe> loaded = load_recipe_file(k_recipes / (GetParam() + ".toml"));
        ASSERT_TRUE(loaded) << loaded.error().message();
        recipe = *loaded;
        ASSERT_TRUE(read_over(config, recipe));
    }
    Recipe recipe;
    CampaignConfig config;
};

TEST_P(ShippedRecipe, SaysWhatItIsAndFitsTogether) {
    EXPECT_EQ(recipe.name, GetParam());
    EXPECT_THAT(recipe.head.title, Not(IsEmpty()));
    EXPECT_THAT(recipe.head.source, Not(IsEmpty()));
    EXPECT_THAT(recipe.head.version, Not(IsEmpty()));
    EXPECT_THAT(recipe.head.mechanism, Not(IsEmpty()));
    EXPECT_THAT(recipe.head.parameters, Not(IsEmpty()));
    EXPECT_THAT(recipe.head.approximated, Not(IsEmpty()));
    // Models are the user's.
    ASSERT_TRUE(set_key(config, "models.coder.url=http://127.0.0.1:1/v1"));
    const Status fits = check_config(config, recipe.name);
    EXPECT_TRUE(fits) << fits.error().message();
}

// Or `atoll compare` would compare evaluators, tasks or budgets instead of recipes.
TEST_P(ShippedRecipe, LeavesTaskBudgetAndEvaluatorAlone) {
    for (const KeyDifference& key : differing_keys(CampaignConfig(), config)) {
        for (const char* section : {"campaign.", "evaluation.", "confirm.", "stop."}) {
            EXPECT_FALSE(key.key.starts_with(section)) << key.key;
        }
        EXPECT_NE(key.key, "score.preset");
    }
}

INSTANTIATE_TEST_SUITE_P(All, ShippedRecipe,
                         ::testing::ValuesIn(testing::names_in(k_recipes,
                                                               [](const auto& path) {
                                                                   return path.extension() ==
                                                                          ".toml";
                                                               })),
                         [](const auto& parameter) { return testing::plain(parameter.param); });

class Recipes : public ::testing::Test {
  protected:
    std::string file(const std::string& text) const {
        const std::filesystem::path path = m_folder.path() / "mine.toml";
        std::ofstream(path) << text;
        return path.string();
    }
    testing::TemporaryFolder m_folder;
};

TEST_F(Recipes, AreFoundBesideTheProgram) {
    const auto recipe = load_recipe("openevolve");
    ASSERT_TRUE(recipe) << recipe.error().message();
    EXPECT_EQ(recipe->name, "openevolve");
}

TEST_F(Recipes, AnUnknownNameIsAnErrorThatListsTheKnownOnes) {
    const auto recipe = load_recipe("openevolv");
    ASSERT_FALSE(recipe);
    EXPECT_EQ(recipe.error().code, ErrorCode::not_found);
    EXPECT_THAT(recipe.error().hint, HasSubstr("did you mean 'openevolve'?"));
}

TEST_F(Recipes, OnlyTheKeysThatARecipeSetsAreChanged) {
    CampaignConfig config;
    config.islands.count = 7;
    config.archive.size = 9;
    const auto recipe = load_recipe(file("[recipe]\ntitle = 'mine'\n[archive]\nsize = 11\n"));
    ASSERT_TRUE(recipe) << recipe.error().message();
    EXPECT_EQ(recipe->head.title, "mine");
    ASSERT_TRUE(read_over(config, *recipe));
    EXPECT_EQ(config.islands.count, 7);
    EXPECT_EQ(config.archive.size, 11);
}

TEST_F(Recipes, AllMistakesOfAFileAreNamedWithTheirLines) {
    const auto recipe = load_recipe(file("[recipe]\ntitel = 'x'\n[islands]\ncount = 'many'\n"));
    ASSERT_FALSE(recipe);
    EXPECT_THAT(recipe.error().what, HasSubstr("mine.toml:2: recipe.titel: unknown key"));
    EXPECT_THAT(recipe.error().what, HasSubstr("mine.toml:4: islands.count: must be an integer"));
}

TEST_F(Recipes, AKeyIsSetFromTomlOrFromABareWord) {
    CampaignConfig config;
    ASSERT_TRUE(set_key(config, "selector.name=uniform"));
    EXPECT_EQ(config.selector.name, "uniform");
    ASSERT_TRUE(set_key(config, "selector.name=\"power_law\""));
    EXPECT_EQ(config.selector.name, "power_law");
    ASSERT_TRUE(set_key(config, "islands.count=3"));
    EXPECT_EQ(config.islands.count, 3);
    ASSERT_TRUE(set_key(config, "operators.weights={tune = 2.0}"));
    EXPECT_THAT(config.mix.weights, SizeIs(1));
    ASSERT_TRUE(set_key(config, "campaign.task=my tasks/it's #1"));
    EXPECT_EQ(config.campaign.task, "my tasks/it's #1");
}

TEST_F(Recipes, AKeyOfAModelAddsIt) {
    CampaignConfig config;
    ASSERT_TRUE(set_key(config, "models.b.url=http://127.0.0.1:1/v1"));
    ASSERT_TRUE(set_key(config, "models.a.url=http://127.0.0.1:2/v1"));
    ASSERT_TRUE(set_key(config, "models.b.model=large"));
    ASSERT_THAT(config.models, SizeIs(2));
    EXPECT_EQ(config.models[0].name, "a");
    EXPECT_EQ(config.models[1].url, "http://127.0.0.1:1/v1");
    EXPECT_EQ(config.models[1].model, "large");
}

TEST_F(Recipes, AKeyThatIsWrongIsAnErrorThatNamesTheArgument) {
    CampaignConfig config;
    for (const char* wrong : {"islands.count", "=3", "islands.count=many", "nothing.like=1",
                              "a b=1", "islands.count=3\narchive.size=4"}) {
        const Status set = set_key(config, wrong);
        ASSERT_FALSE(set) << wrong;
        EXPECT_THAT(set.error().message(), HasSubstr("--set")) << wrong;
    }
    EXPECT_THAT(differing_keys(config, CampaignConfig()), IsEmpty());
}

TEST_F(Recipes, DifferencesAreThoseOfResolvedKeys) {
    CampaignConfig first;
    CampaignConfig second;
    second.islands.count = 3;
    second.mix.weights = {{"tune", 2}};
    const auto differences = differing_keys(first, second);
    ASSERT_THAT(differences, SizeIs(2));
    EXPECT_EQ(differences[0].key, "islands.count");
    EXPECT_EQ(differences[0].first, "2");
    EXPECT_EQ(differences[0].second, "3");
    EXPECT_EQ(differences[1].key, "operators.weights");
    EXPECT_EQ(differences[1].second, "{ tune = 2.0 }");
}

}  // namespace
}  // namespace atl
