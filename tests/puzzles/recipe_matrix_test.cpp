// Which recipe solves which puzzle: one solves those whose mechanism it has. A part of it by
// default; with ATOLL_RECIPE_MATRIX=1 all recipes over five seeds, as a table.

#include "tests/puzzles/recipe_campaign.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <iostream>

namespace atl::testing {
namespace {

/// A campaign's way to be set up and what it must reach.
struct ModelPuzzle {
    const char* name;
    std::int64_t evaluations;
    int rungs;
    bool long_programs;
    Expected<ChatReply> (*answer)(const ChatCall&);
};

std::string tail() {
    std::string text;
    for (int i = 0; i < 150; ++i) {
        text += fmt::format("int constant{0} = {0};\n", i);
    }
    return text;
}

// Nineteen of twenty children differ from their parent in what does not count; the budget is for
// the others.
Expected<ChatReply> mostly_cosmetic(const ChatCall& call) {
    const std::string& prompt = call.request.messages.back().content;
    const Genome before = last_shown(prompt);
    const std::string hash = content_id(prompt + std::to_string(call.candidate)).hex();
    const unsigned long draw = std::strtoul(hash.substr(0, 8).c_str(), nullptr, 16);
    Genome after = before;
    after["a"] += draw % 20 == 0 ? 1 : 0;
    after["salt"] = static_cast<int>(draw / 32 % 10'000'000) * 5;
    return reply_for(call, before, after, tail());
}

constexpr ModelPuzzle k_ladder = {"ladder", 200, 14, false, small_edit};
constexpr ModelPuzzle k_cosmetics = {"cosmetics", 40, 6, true, mostly_cosmetic};

int solved(const std::string& recipe, const ModelPuzzle& puzzle, int seeds) {
    int count = 0;
    for (int seed = 1; seed <= seeds; ++seed) {
        RecipeCampaign campaign(recipe, puzzle.evaluations,
                                {"campaign.seed=" + std::to_string(seed)});
        campaign.answer = puzzle.answer;
        if (puzzle.long_programs) {
            auto task = std::make_shared<Task>(*campaign.task);
            for (Starter& starter : task->starters) {
                starter.source += tail();
            }
            campaign.task = task;
        }
        count += campaign.solves(std::pow(1.05, puzzle.rungs) * (1 - 1e-9)) ? 1 : 0;
    }
    return count;
}

TEST(RecipeMatrix, WhoBuildsOnWhatWasFoundClimbs) {
    EXPECT_EQ(solved("akg_adaptive", k_ladder, 2), 2);
    EXPECT_EQ(solved("cudaforge", k_ladder, 2), 2);
    EXPECT_EQ(solved("best_of_n", k_ladder, 2), 0);
}

TEST(RecipeMatrix, OfEveryRecipeOverFiveSeeds) {
    if (std::getenv("ATOLL_RECIPE_MATRIX") == nullptr) {
        GTEST_SKIP() << "set ATOLL_RECIPE_MATRIX=1 for the whole table";
    }
    std::cout << fmt::format("{:<16} {:>10} {:>10}\n", "recipe", k_ladder.name, k_cosmetics.name);
    for (const std::filesystem::path& file : list_recipes()) {
        const std::string recipe = file.stem().string();
        const int ladder = solved(recipe, k_ladder, 5);
        const int cosmetics = solved(recipe, k_cosmetics, 5);
        std::cout << fmt::format("{:<16} {:>6} of 5 {:>6} of 5\n", recipe, ladder, cosmetics);
        if (recipe == "best_of_n") {
            EXPECT_EQ(ladder, 0);
        }
        if (recipe == "shinka") {
            EXPECT_GE(cosmetics, 4) << "it turns down what is hardly another";
        }
    }
}

}  // namespace
}  // namespace atl::testing
