#include "reward/score.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>

namespace atl {
namespace {

using ::testing::HasSubstr;

struct Row {
    const char* workload;
    double median_ns;
    double light_ns;
    bool hidden = false;
};

Verdict measured(std::initializer_list<Row> rows) {
    Verdict verdict;
    verdict.outcome = Outcome::passed;
    verdict.measure.emplace();
    for (const Row& row : rows) {
        WorkloadTiming timing;
        timing.workload = row.workload;
        timing.median_ns = row.median_ns;
        timing.light_ns = row.light_ns;
        timing.hidden = row.hidden;
        verdict.measure->workloads.push_back(timing);
    }
    return verdict;
}

const BaselineTimes k_baseline = {{"small", 200}, {"large", 1000}};

TEST(SpeedupScore, IsTheGeometricMeanOfRatios) {
    // 200/100 = 2 and 1000/125 = 8: geometric mean 4.
    const Verdict verdict = measured({{"small", 100, 10}, {"large", 125, 10}});
    EXPECT_DOUBLE_EQ(score("speedup", verdict, k_baseline).value(), 4);
}

TEST(SpeedupScore, IgnoresHiddenWorkloads) {
    const Verdict verdict =
        measured({{"small", 100, 10}, {"large", 500, 10}, {"secret", 1, 1, true}});
    EXPECT_DOUBLE_EQ(score("speedup", verdict, k_baseline).value(), 2);
}

TEST(SpeedupScore, UnusableTimesNeverWin) {
    for (const double time : {0.0, -5.0, std::nan(""), std::numeric_limits<double>::infinity(),
                              -std::numeric_limits<double>::infinity()}) {
        EXPECT_EQ(score("speedup", measured({{"small", time, 10}, {"large", 1, 10}}), k_baseline),
                  0.0)
            << time;
        EXPECT_EQ(score("speedup", measured({{"small", 10, 10}, {"large", 1, 10}}),
                        {{"small", time}, {"large", 1000}}),
                  0.0)
            << time;
    }
}

TEST(SpeedupScore, AWorkloadWithoutBaselineIsNotSkipped) {
    EXPECT_EQ(score("speedup", measured({{"small", 1, 1}, {"other", 1, 1}}), k_baseline), 0.0);
}

TEST(SpeedupScore, IncorrectOrUnmeasuredScoresZero) {
    Verdict wrong = measured({{"small", 1, 1}, {"large", 1, 1}});
    wrong.outcome = Outcome::wrong_result;
    EXPECT_EQ(score("speedup", wrong, k_baseline), 0.0);
    Verdict unmeasured;
    unmeasured.outcome = Outcome::passed;
    EXPECT_EQ(score("speedup", unmeasured, k_baseline), 0.0);
    EXPECT_EQ(score("speedup", measured({{"secret", 1, 1, true}}), k_baseline), 0.0);
}

TEST(LightScore, IsTheRooflineFraction) {
    // 50/100 and 25/200: sqrt(0.5 * 0.125) = 0.25.
    const Verdict verdict = measured({{"small", 100, 50}, {"large", 200, 25}});
    EXPECT_DOUBLE_EQ(score("light", verdict, {}).value(), 0.25);
}

TEST(LightScore, IsZeroWhereTheLightIsUnknown) {
    EXPECT_EQ(score("light", measured({{"small", 100, 0}}), {}), 0.0);
    EXPECT_EQ(score("light", measured({{"small", 100, std::nan("")}}), {}), 0.0);
}

TEST(ExternalScore, PrefersScoreThenCombinedThenTheMean) {
    Verdict verdict;
    verdict.outcome = Outcome::passed;
    verdict.scores = {{"a", 1}, {"b", 3}, {"bad", std::nan("")}};
    EXPECT_EQ(score("external", verdict, {}), 2.0);
    verdict.scores["combined_score"] = 7;
    EXPECT_EQ(score("external", verdict, {}), 7.0);
    verdict.scores["score"] = 5;
    EXPECT_EQ(score("external", verdict, {}), 5.0);
    verdict.scores["score"] = std::numeric_limits<double>::infinity();
    EXPECT_EQ(score("external", verdict, {}), 0.0);
    EXPECT_EQ(score("external", Verdict{}, {}), 0.0);
}

TEST(Score, UnknownPresetListsTheKnownOnes) {
    const Expected<double> result = score("fast", Verdict{}, {});
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message(), HasSubstr("speedup, light, external"));
}

TEST(BaselineTimes, TakesUsablePublicMedians) {
    const BaselineTimes times = baseline_times(
        measured({{"small", 100, 1}, {"bad", std::nan(""), 1}, {"secret", 5, 1, true}}));
    EXPECT_EQ(times, (BaselineTimes{{"small", 100}}));
}

}  // namespace
}  // namespace atl
