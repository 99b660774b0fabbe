#include "reward/scores/presets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

namespace atl {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

/// One workload of 300 ns by the baseline.
const BaselineTimes k_baseline = {{"w", 300}};

Verdict ended(Outcome outcome) {
    Verdict verdict;
    verdict.outcome = outcome;
    return verdict;
}

/// A right candidate that is `speedup` times as fast.
Verdict right(double speedup) {
    Verdict verdict = ended(Outcome::passed);
    WorkloadTiming timing;
    timing.workload = "w";
    timing.median_ns = 300 / speedup;
    timing.high_ns = timing.median_ns;
    timing.light_ns = 50;
    verdict.measure.emplace().workloads = {timing};
    return verdict;
}

ScorePreset preset(const std::string& name) {
    const ScorePreset* found = built_in_presets().find(name);
    EXPECT_NE(found, nullptr) << name;
    return found == nullptr ? *built_in_presets().find("ratio") : *found;
}

double reward(const std::string& name, const Verdict& verdict) {
    return preset(name).score(verdict, k_baseline).value();
}

double reward_with(const std::string& name, const std::string& parameter, double value,
                   const Verdict& verdict) {
    ScorePreset changed = preset(name);
    EXPECT_TRUE(changed.set(parameter, value));
    return changed.score(verdict, k_baseline).value();
}

// The numbers are computed by hand from the published formulas.

TEST(ScorePresets, RatioIsTheMeanOfRatios) {
    Verdict verdict = right(2);
    WorkloadTiming other = verdict.measure->workloads.front();
    other.workload = "v";
    other.median_ns = 10;
    verdict.measure->workloads.push_back(other);
    const BaselineTimes baseline = {{"w", 300}, {"v", 80}};  // 2 and 8
    EXPECT_DOUBLE_EQ(preset("ratio").score(verdict, baseline).value(), 5);
    EXPECT_DOUBLE_EQ(preset("ksearch").score(verdict, baseline).value(), 5);
    EXPECT_DOUBLE_EQ(preset("kevin").score(verdict, baseline).value(), 4.3);  // geometric mean 4
    EXPECT_EQ(reward("ratio", ended(Outcome::wrong_result)), 0);
    EXPECT_EQ(reward("ksearch", ended(Outcome::wrong_result)), -1);
}

TEST(ScorePresets, KevinAddsToWhatIsRight) {
    EXPECT_DOUBLE_EQ(reward("kevin", right(2)), 2.3);
    EXPECT_DOUBLE_EQ(reward("kevin", right(0.5)), 0.8);
    EXPECT_EQ(reward("kevin", ended(Outcome::wrong_result)), 0);
}

TEST(ScorePresets, FastPIsStrict) {
    EXPECT_EQ(reward("fast_p", right(1)), 0);
    EXPECT_EQ(reward("fast_p", right(1.01)), 1);
    EXPECT_EQ(reward_with("fast_p", "p", 2, right(1.99)), 0);
    EXPECT_EQ(reward_with("fast_p", "p", 0, right(0.1)), 1);
    EXPECT_EQ(reward_with("fast_p", "p", 0, ended(Outcome::wrong_result)), 0);
    EXPECT_EQ(reward_with("fast_p", "or_equal", 1, right(1)), 1);
}

TEST(ScorePresets, KernelGymTiers) {
    const std::pair<double, double> rows[] = {{0.99, -0.1}, {1, 0.2},   {1.2, 0.4}, {1.49, 0.4},
                                              {1.5, 0.6},   {2.5, 0.8}, {3, 1},     {100, 1}};
    for (const auto& [speedup, tier] : rows) {
        EXPECT_DOUBLE_EQ(reward("kernelgym_tiers", right(speedup)), tier) << speedup;
    }
    EXPECT_EQ(reward("kernelgym_tiers", ended(Outcome::wrong_result)), -0.3);
    EXPECT_EQ(reward("kernelgym_tiers", ended(Outcome::non_finite)), -0.3);
    EXPECT_EQ(reward("kernelgym_tiers", ended(Outcome::compile_error)), -0.5);
    EXPECT_EQ(reward("kernelgym_tiers", ended(Outcome::rejected)), -0.5);
    EXPECT_EQ(reward("kernelgym_tiers", ended(Outcome::reward_hack)), -1);
    EXPECT_EQ(reward("kernelgym_tiers", ended(Outcome::timeout)), -1);
}

/// Three quarters of the time are the candidate's own kernels, the rest is a copy.
Verdict with_copy(double speedup) {
    Verdict verdict = right(speedup);
    GpuTiming gpu;
    gpu.kernels = {{"mine", 1, 0.75}, {"memcpy", 1, 0.25}};
    verdict.measure->workloads.front().gpu = gpu;
    return verdict;
}

TEST(ScorePresets, KernelGymWeightedHasADeadBand) {
    EXPECT_DOUBLE_EQ(reward("kernelgym_weighted", right(1.009)), 0.5);
    EXPECT_DOUBLE_EQ(reward("kernelgym_weighted", right(1.02)), 1);
    EXPECT_EQ(reward("kernelgym_weighted", ended(Outcome::wrong_result)), 0);
    EXPECT_DOUBLE_EQ(reward_with("kernelgym_weighted", "coverage", 0.4, with_copy(2)), 1.3);
    EXPECT_EQ(reward_with("kernelgym_weighted", "penalty", -1, ended(Outcome::crash)), -1);
    EXPECT_EQ(reward_with("kernelgym_weighted", "penalty", -1, ended(Outcome::wrong_result)), 0);
}

TEST(ScorePresets, KernelGymSpeedupIsClippedAndCounted) {
    EXPECT_DOUBLE_EQ(reward("kernelgym_speedup", right(2)), 2);     // 0.5 + 0.5*2 + 0.5*1
    EXPECT_DOUBLE_EQ(reward("kernelgym_speedup", right(10)), 2.5);  // 0.5 + 0.5*3 + 0.5
    EXPECT_DOUBLE_EQ(reward("kernelgym_speedup", with_copy(2)), 1.875);
    EXPECT_DOUBLE_EQ(reward_with("kernelgym_speedup", "least", 1, right(0.9)), 1);
    EXPECT_EQ(reward("kernelgym_speedup", ended(Outcome::reward_hack)), 0);
}

TEST(ScorePresets, CudaAgentMilestones) {
    EXPECT_EQ(reward("cuda_agent_milestone", ended(Outcome::crash)), -1);
    EXPECT_EQ(reward("cuda_agent_milestone", right(1.04)), 1);
    EXPECT_EQ(reward("cuda_agent_milestone", right(1.06)), 2);
    Verdict verdict = right(2);  // 150 ns
    WorkloadTiming rival = verdict.measure->workloads.front();
    rival.median_ns = 160;  // 1.067 times as slow
    verdict.measure->rivals["torch.compile"] = {rival};
    EXPECT_EQ(reward("cuda_agent_milestone", verdict), 3);
    rival.median_ns = 155;  // 1.033
    verdict.measure->rivals["vendor"] = {rival};
    EXPECT_EQ(reward("cuda_agent_milestone", verdict), 2);
}

TEST(ScorePresets, FloorsForWhatCompiles) {
    EXPECT_EQ(reward("adaexplore", ended(Outcome::compile_error)), 0);
    EXPECT_EQ(reward("adaexplore", ended(Outcome::wrong_result)), 0.05);
    EXPECT_DOUBLE_EQ(reward("adaexplore", right(0.01)), 0.4);
    EXPECT_DOUBLE_EQ(reward("adaexplore", right(10)), 1.6);
    EXPECT_NEAR(reward("adaexplore", right(1)), 0.4 + 1.2 * 0.9 / 9.9, 1e-12);
    EXPECT_EQ(reward("kernelfoundry", ended(Outcome::compile_limit)), 0);
    EXPECT_EQ(reward("kernelfoundry", ended(Outcome::wrong_result)), 0.1);
    EXPECT_DOUBLE_EQ(reward("kernelfoundry", right(1)), 0.75);
    EXPECT_DOUBLE_EQ(reward("kernelfoundry", right(5)), 1);
    EXPECT_EQ(reward("tritonforge", ended(Outcome::rejected)), 0);
    EXPECT_EQ(reward("tritonforge", ended(Outcome::wrong_result)), 0.1);
    EXPECT_DOUBLE_EQ(reward("tritonforge", right(0.5)), 0.3);
    EXPECT_DOUBLE_EQ(reward("tritonforge", right(2)), 1.3);
    EXPECT_DOUBLE_EQ(reward("tritonforge", right(9)), 2.3);
}

TEST(ScorePresets, CudaForgeRanksWhatIsWrongBelowAll) {
    EXPECT_DOUBLE_EQ(reward("cudaforge", right(0.25)), 0.25);
    EXPECT_EQ(reward("cudaforge", ended(Outcome::wrong_result)), -1e6);
    const double lowest = std::numeric_limits<double>::lowest();
    EXPECT_FALSE(preset("cudaforge").set("wrong", -std::numeric_limits<double>::infinity()));
    EXPECT_FALSE(preset("cudaforge").set("wrong", lowest));
}

TEST(ScorePresets, OpenEnvAddsUp) {
    EXPECT_EQ(reward("openenv_kernrl", ended(Outcome::compile_error)), 0);
    EXPECT_DOUBLE_EQ(reward("openenv_kernrl", ended(Outcome::wrong_result)), 0.1);
    EXPECT_DOUBLE_EQ(reward("openenv_kernrl", right(0.5)), 0.4);
    EXPECT_DOUBLE_EQ(reward("openenv_kernrl", right(2)), 1);     // 0.1 + 0.3 + 0.3 + 0.3
    EXPECT_DOUBLE_EQ(reward("openenv_kernrl", right(64)), 1.3);  // the bonus ends at 0.6
}

TEST(ScorePresets, SolScoreIsAHalfAtTheBaseline) {
    EXPECT_DOUBLE_EQ(reward("sol_score", right(1)), 0.5);
    EXPECT_DOUBLE_EQ(reward("sol_score", right(6)), 1);        // 50 ns, the speed of light
    EXPECT_DOUBLE_EQ(reward("sol_score", right(2)), 1 / 1.4);  // (150 - 50) / (300 - 50) = 0.4
    Verdict unlit = right(2);
    unlit.measure->workloads.front().light_ns = 0;
    EXPECT_EQ(reward("sol_score", unlit), 0);
}

TEST(ScorePresets, SolScoreEndsAtOneAndKnowsABaselineAtTheLight) {
    EXPECT_DOUBLE_EQ(reward("sol_score", right(7)), 1);  // 43 ns: measured a little below the light
    Verdict near = right(6.6);                           // 45.5 ns
    near.measure->workloads.front().light_ns = 172.7;    // the pole is at 2 * 172.7 - 300 = 45.4
    EXPECT_DOUBLE_EQ(reward("sol_score", near), 1);
    Verdict slower = right(0.5);  // 600 ns
    slower.measure->workloads.front().light_ns = 300;
    EXPECT_DOUBLE_EQ(reward("sol_score", slower), 0.25);
    Verdict equal = right(1);
    equal.measure->workloads.front().light_ns = 300;
    EXPECT_DOUBLE_EQ(reward("sol_score", equal), 1);
}

TEST(ScorePresets, MoreThatAddSpeedToCorrectness) {
    EXPECT_DOUBLE_EQ(reward("dr_kernel", right(2)), 4);
    EXPECT_DOUBLE_EQ(reward("dr_kernel", with_copy(5)), 4.75);
    EXPECT_DOUBLE_EQ(reward("kernelbench_tinker", right(0.5)), 0.3);
    EXPECT_DOUBLE_EQ(reward("kernelbench_tinker", right(3)), 2.3);
    EXPECT_DOUBLE_EQ(reward("kernelbench_tinker", right(50)), 10.3);
    EXPECT_DOUBLE_EQ(reward_with("kernelbench_tinker", "baseline", 0, right(0.5)), 0.8);
    EXPECT_EQ(reward("triton_eval", ended(Outcome::compile_error)), -0.2);
    EXPECT_EQ(reward("triton_eval", ended(Outcome::crash)), -0.2);
    EXPECT_EQ(reward("triton_eval", ended(Outcome::wrong_result)), 0);
    EXPECT_DOUBLE_EQ(reward("triton_eval", right(2)), 1 + std::log(2));
    EXPECT_DOUBLE_EQ(reward("triton_eval", right(0.5)), 0.75);
}

TEST(ScorePresets, LogSpeedupIsCautious) {
    EXPECT_DOUBLE_EQ(reward("log_speedup", right(2)), 1 + std::log(2));
    EXPECT_DOUBLE_EQ(reward("log_speedup", right(1.009)), 1);
    EXPECT_DOUBLE_EQ(reward("log_speedup", right(0.01)), 0);
    EXPECT_DOUBLE_EQ(reward("log_speedup", right(1000)), 3);
    Verdict uncertain = right(2);
    uncertain.measure->workloads.front().high_ns = 200;  // 1.5 times as fast for sure
    EXPECT_DOUBLE_EQ(reward("log_speedup", uncertain), 1 + std::log(1.5));
    EXPECT_EQ(reward("log_speedup", ended(Outcome::wrong_result)), 0);
}

TEST(ScorePresets, FractionOfTests) {
    Verdict verdict = ended(Outcome::wrong_result);
    verdict.verify.resize(5);
    verdict.verify[0].passed = verdict.verify[1].passed = verdict.verify[2].passed = true;
    verdict.verify[4].hidden = true;
    EXPECT_DOUBLE_EQ(reward("fraction_tests_passed", verdict), 0.75);
    EXPECT_EQ(reward("fraction_tests_passed", ended(Outcome::compile_error)), 0);
    EXPECT_EQ(reward("fraction_tests_passed", ended(Outcome::passed)), 1);
}

constexpr const char* k_hits =
    "[hits]\nformula = \"counter\"\ncounter = \"dram__bytes_read.sum\"\ntie = 0.5\n";

TEST(ScorePresets, ACounterIsNamedByAFile) {
    EXPECT_EQ(built_in_presets().find("counter"), nullptr);
    const auto presets = ScorePresets::from_text(k_hits, "f");
    ASSERT_TRUE(presets) << presets.error().message();
    Verdict verdict = right(3);
    verdict.profile.emplace().metrics["dram__bytes_read.sum"] = 80;
    EXPECT_DOUBLE_EQ(presets->find("hits")->score(verdict, k_baseline).value(), 80.375);
}

TEST(ScorePresets, WhatIsRightButWasNotCountedHasNoScore) {
    const ScorePresets presets = value_or_throw(ScorePresets::from_text(k_hits, "f"));
    Verdict verdict = right(3);
    EXPECT_FALSE(presets.find("hits")->score(verdict, k_baseline));
    verdict.profile.emplace().metrics["sm__inst_executed.sum"] = 80;
    EXPECT_FALSE(presets.find("hits")->score(verdict, k_baseline));
    EXPECT_EQ(presets.find("hits")->score(ended(Outcome::wrong_result), k_baseline), 0);
}

TEST(ScorePresets, EveryOneIsFiniteWhateverTheTimes) {
    for (const ScorePreset& one : built_in_presets().all()) {
        for (const double time :
             {0.0, -1.0, std::nan(""), 1e-320, 1e308, std::numeric_limits<double>::infinity()}) {
            for (int outcome = 0; outcome < k_outcome_count; ++outcome) {
                Verdict verdict = right(1);
                verdict.outcome = static_cast<Outcome>(outcome);
                verdict.measure->workloads.front().median_ns = time;
                EXPECT_TRUE(std::isfinite(one.score(verdict, k_baseline).value())) << one.name;
                EXPECT_TRUE(std::isfinite(one.score(right(2), {{"w", time}}).value())) << one.name;
            }
        }
    }
}

TEST(ScorePresets, AMissingBaselineNeverWins) {
    for (const ScorePreset& one : built_in_presets().all()) {
        if (one.formula->needs_baseline) {
            EXPECT_LE(one.score(right(5), {}), one.score(right(1e-3), k_baseline)) << one.name;
        }
    }
}

TEST(ScorePresets, FitnessIsAboveZeroForWhatIsRightOnly) {
    EXPECT_EQ(built_in_presets().fitness_names(),
              (std::vector<std::string>{"speedup", "light", "external"}));
}

TEST(ScorePresets, NamesAreUniqueAndSaid) {
    std::set<std::string> names;
    for (const ScoreFormula& formula : score_formulas()) {
        EXPECT_TRUE(names.insert(formula.name).second) << formula.name;
        EXPECT_STRNE(formula.words, "");
        EXPECT_STRNE(formula.source, "");
    }
    EXPECT_THAT(built_in_presets().names(), Not(Contains("counter")));
    EXPECT_EQ(preset("kevin").words(), "kevin: correct = 0.3");
    EXPECT_EQ(preset("adaexplore").words(), "adaexplore");
}

TEST(ScorePresetsFile, AddsPresets) {
    const auto presets = ScorePresets::from_text(
        "[kevin_low]\nformula = \"kevin\"\ncorrect = 0.1\n[fast_2]\nformula = \"fast_p\"\np = 2\n",
        "rewards.toml");
    ASSERT_TRUE(presets) << presets.error().message();
    EXPECT_DOUBLE_EQ(presets->find("kevin_low")->score(right(2), k_baseline).value(), 2.1);
    EXPECT_EQ(presets->find("fast_2")->score(right(2), k_baseline), 0);
    EXPECT_NE(presets->find("kevin"), nullptr);
}

TEST(ScorePresetsFile, SaysWhatIsWrong) {
    const auto refused = [](const std::string& text) {
        const auto presets = ScorePresets::from_text(text, "rewards.toml");
        return presets ? std::string("accepted") : presets.error().message();
    };
    EXPECT_THAT(refused("x"), HasSubstr("rewards.toml:1: not valid TOML"));
    EXPECT_THAT(refused("p = 1"), HasSubstr("outside of a table"));
    EXPECT_THAT(refused("\n[a]\np = 1"), HasSubstr("rewards.toml:2: a text `formula` is needed"));
    EXPECT_THAT(refused("[a]\nformula = \"kevim\""), HasSubstr("no formula 'kevim'"));
    EXPECT_THAT(refused("[kevin]\nformula = \"kevin\""), HasSubstr("already"));
    EXPECT_THAT(refused("[a]\nformula = \"kevin\"\np = 1"), HasSubstr("there are: correct"));
    EXPECT_THAT(refused("[a]\nformula = \"kevin\"\ncorrect = \"x\""), HasSubstr("a number"));
    EXPECT_THAT(refused("[a]\nformula = \"kevin\"\ncorrect = nan"), HasSubstr("must be from"));
    EXPECT_THAT(refused("[a]\nformula = \"fast_p\"\np = -1"), HasSubstr("from 0 to"));
    EXPECT_THAT(refused("[a]\nformula = \"counter\""), HasSubstr("`counter`"));
    EXPECT_THAT(refused("[a]\nformula = \"counter\"\ncounter = \"l2.hits\""),
                HasSubstr("dram__bytes_read.sum"));
    EXPECT_THAT(refused("[a]\nformula = \"kevin\"\ncounter = \"x\""), HasSubstr("no counter"));
    EXPECT_THAT(refused("[\"a b\"]\nformula = \"kevin\""), HasSubstr("not a name"));
}

}  // namespace
}  // namespace atl
