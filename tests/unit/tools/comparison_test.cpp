#include "tests/unit/tools/made_up_campaign.hpp"
#include "tools/atoll/comparison_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace atl {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Values = std::vector<double>;

TEST(ComparedRun, IsTheBestSoFarByEvaluationsUpToTheBudget) {
    testing::MadeUpCampaign campaign(1);
    campaign.add(0, 1, 1, [](Individual&) {});
    campaign.add(0, 0, 2, [](Individual&) {});
    campaign.add(0, 3, 3, [](Individual&) {});
    campaign.add(0, 9, 4, [](Individual& one) { one.duplicate = true; });
    campaign.add(0, 2, 5, [](Individual&) {});
    campaign.add(0, 7, 6, [](Individual&) {});
    const ComparedRun run = compared_run(campaign.state(), 4);
    EXPECT_THAT(run.best_so_far, ElementsAre(1, 1, 3, 3)) << "no duplicate, nothing beyond";
    EXPECT_EQ(run.evaluations, 4u);
    EXPECT_EQ(run.area(), 2);
    EXPECT_EQ(run.last(), 3);
    EXPECT_FALSE(run.confirmed);
    const ComparedRun longer = compared_run(campaign.state(), 7);
    EXPECT_THAT(longer.best_so_far, ElementsAre(1, 1, 3, 3, 7, 7, 7)) << "it ended early";
    EXPECT_EQ(longer.evaluations, 5u);
}

// Student's t with two degrees of freedom: 4.302653 at 97.5 %.
TEST(EstimateMean, HasStudentsInterval) {
    const Estimate estimate = estimate_mean(Values{1, 2, 3});
    EXPECT_EQ(estimate.mean, 2);
    EXPECT_NEAR(estimate.low, 2 - 4.302653 / std::sqrt(3), 1e-5);
    EXPECT_NEAR(estimate.high, 2 + 4.302653 / std::sqrt(3), 1e-5);
    EXPECT_EQ(estimate_mean(Values{5}).low, 5) << "one value has no spread";
}

// Counted by hand, and with ties by going through all 20 and 252 ways to deal the ranks.
TEST(RankTest, IsExactForFewValuesWithTiesAsTheyAre) {
    const RankTest apart = rank_test(Values{1, 2, 3}, Values{4, 5, 6});
    EXPECT_TRUE(apart.exact);
    EXPECT_EQ(apart.u, 0);
    EXPECT_EQ(apart.superiority, 0);
    EXPECT_NEAR(apart.p, 2.0 / 20, 1e-12);
    const RankTest tied = rank_test(Values{1, 2, 2}, Values{2, 3, 4});
    EXPECT_EQ(tied.u, 1);
    EXPECT_NEAR(tied.p, 6.0 / 20, 1e-12);
    const RankTest five = rank_test(Values{1, 2, 3, 4, 5}, Values{3, 6, 7, 8, 9});
    EXPECT_EQ(five.u, 2.5);
    EXPECT_NEAR(five.p, 10.0 / 252, 1e-12);
    EXPECT_NEAR(rank_test(Values{3, 6, 7, 8, 9}, Values{1, 2, 3, 4, 5}).p, five.p, 1e-12);
    EXPECT_EQ(rank_test(Values{5, 5}, Values{5, 5}).p, 1);
}

// Of 31 against 31 values the exact p, by another program, is 0.028381, and 0.104436 with ties.
TEST(RankTest, IsApproximatedForMany) {
    Values first;
    Values second;
    Values tied_first;
    Values tied_second;
    for (int i = 0; i < 31; ++i) {
        first.push_back(i);
        second.push_back(i + 5.5);
        tied_first.push_back(i / 2);
        tied_second.push_back(i / 2 + 2);
    }
    const RankTest apart = rank_test(first, second);
    EXPECT_FALSE(apart.exact);
    EXPECT_EQ(apart.u, 325);
    EXPECT_NEAR(apart.p, 0.028381, 0.001);
    EXPECT_NEAR(rank_test(tied_first, tied_second).p, 0.104436, 0.003);
    const Values equal(31, 1.0);
    EXPECT_EQ(rank_test(equal, equal).p, 1);
}

TEST(Holm, CorrectsByTheNumberOfTestsThatAreLeft) {
    EXPECT_THAT(
        holm({0.01, 0.04, 0.03}),
        ElementsAre(DoubleNear(0.03, 1e-12), DoubleNear(0.06, 1e-12), DoubleNear(0.06, 1e-12)));
    EXPECT_THAT(holm({0.9, 0.8}), ElementsAre(1, 1));
}

Comparison made_up() {
    Comparison comparison;
    comparison.task = "a<b";
    comparison.budget = 2;
    const auto recipe = [](const std::string& name, double last) {
        ComparedRecipe made{name, {}};
        for (int seed = 1; seed <= 4; ++seed) {
            made.runs.push_back({seed, {1, last + seed}, 2, {}});
        }
        return made;
    };
    comparison.recipes = {recipe("slow", 1), recipe("fast & more", 10)};
    return comparison;
}

TEST(Comparison, SaysWhoWinsAndHowThatIsTold) {
    const std::string text = comparison_text(made_up());
    EXPECT_THAT(text, HasSubstr("slow against fast & more: area p = 0.0286 (wins 0 %), best p = "
                                "0.0286 (wins 0 %)"))
        << "2 of 70 ways";
    EXPECT_THAT(text, HasSubstr("Student's t"));
    EXPECT_THAT(text, HasSubstr("Mann-Whitney U, two-sided, exact, Holm-corrected over 1 pair."));
    EXPECT_THAT(text, Not(HasSubstr("no p can be below")));
}

TEST(Comparison, SaysWhenSeedsAreTooFewForAnySignificance) {
    Comparison few = made_up();
    for (ComparedRecipe& recipe : few.recipes) {
        recipe.runs.resize(3);
    }
    EXPECT_THAT(comparison_text(few), HasSubstr("With 3 seeds no p can be below 0.1: take more."));
}

TEST(Comparison, JsonHasEveryCurveAndTest) {
    const auto json = nlohmann::json::parse(comparison_json(made_up(), "x/curves.svg"));
    EXPECT_EQ(json.at("recipes").at(1).at("runs").at(3).at("best_so_far").at(1), 14);
    EXPECT_EQ(json.at("recipes").at(0).at("curve").at("mean").at(1), 3.5);
    EXPECT_NEAR(json.at("pairs").at(0).at("best").at("p").get<double>(), 2.0 / 70, 1e-12);
    EXPECT_EQ(json.at("plot"), "x/curves.svg");
}

TEST(Comparison, ThePlotHasACurveAndABandForEachAndItsNamesEscaped) {
    const std::string svg = comparison_svg(made_up());
    const auto count = [&svg](const std::string& word) {
        std::size_t found = 0;
        for (std::size_t at = svg.find(word); at != std::string::npos;
             at = svg.find(word, at + 1)) {
            ++found;
        }
        return found;
    };
    EXPECT_EQ(count("<polyline "), 2u);
    EXPECT_EQ(count("<polygon "), 2u);
    EXPECT_THAT(svg, HasSubstr("fast &amp; more"));
    EXPECT_THAT(svg, HasSubstr("a&lt;b"));
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_TRUE(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
}

}  // namespace
}  // namespace atl
