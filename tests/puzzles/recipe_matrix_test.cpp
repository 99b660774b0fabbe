// Which recipe solves the puzzle of the ladder: those that build on what was found.

#include "tests/puzzles/recipe_campaign.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iostream>
#include <map>
#include <string>

namespace atl::testing {
namespace {

constexpr std::int64_t k_evaluations = 200;
constexpr int k_rungs = 14;

/// Of so many campaigns up the ladder, whose rungs are each 5 % better than the one before.
int climbed(const std::string& recipe, int seeds) {
    int count = 0;
    for (int seed = 1; seed <= seeds; ++seed) {
        RecipeCampaign campaign(recipe, k_evaluations, {"campaign.seed=" + std::to_string(seed)});
        count += campaign.solves(std::pow(1.05, k_rungs) * (1 - 1e-9)) ? 1 : 0;
    }
    return count;
}

TEST(RecipeMatrix, WhoBuildsOnWhatWasFoundClimbs) {
    EXPECT_EQ(climbed("akg_adaptive", 2), 2);
    EXPECT_EQ(climbed("cudaforge", 2), 2);
    EXPECT_EQ(climbed("best_of_n", 2), 0);
}

TEST(RecipeMatrix, OfEveryRecipeOverFiveSeeds) {
    const std::map<std::string, int> least = {{"akg_adaptive", 4},  {"cudaforge", 4},
                                              {"kernelfoundry", 4}, {"openevolve", 4},
                                              {"shinka", 4},        {"cuda_l1", 1}};
    std::cout << fmt::format("{:<16} {:>10}\n", "recipe", "ladder");
    for (const std::filesystem::path& file : list_recipes()) {
        const std::string recipe = file.stem().string();
        const int count = climbed(recipe, 5);
        std::cout << fmt::format("{:<16} {:>5} of 5\n", recipe, count);
        if (recipe == "best_of_n") {
            EXPECT_EQ(count, 0) << "it begins anew each time";
        } else if (least.contains(recipe)) {
            EXPECT_GE(count, least.at(recipe)) << recipe;
        }
    }
}

}  // namespace
}  // namespace atl::testing
