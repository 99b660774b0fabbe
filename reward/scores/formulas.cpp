#include "reward/scores/formula.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

/// Every formula beside its source. R01 to R24 are the rows of the catalogue of published rewards
/// from which they were taken; README.md says which rows are missing, and why.
namespace atl {

namespace {

using Values = ScoreValues;

constexpr double k_much = 1e6;  // no published number comes near
constexpr ScoreParameter parameter(const char* name, double value, double low = -k_much,
                                   double high = k_much) {
    return {name, value, low, high};
}

// ---- Atoll's own; also the fitness of searches ----

double speedup(const Judged& j, const Values&) {
    return j.correct() ? j.speedup() : 0;
}

double light(const Judged& j, const Values&) {
    return j.correct() ? j.light_share() : 0;
}

double external(const Judged& j, const Values&) {
    if (!j.correct()) {
        return 0;
    }
    const auto& scores = j.verdict().scores;
    for (const char* name : {"score", "combined_score"}) {
        if (const auto found = scores.find(name); found != scores.end()) {
            return std::isfinite(found->second) ? found->second : 0;
        }
    }
    double sum = 0;
    std::size_t count = 0;
    for (const auto& [name, value] : scores) {
        if (std::isfinite(value)) {
            sum += value;
            ++count;
        }
    }
    return count == 0 ? 0 : sum / static_cast<double>(count);
}

constexpr ScoreParameter k_log_speedup[] = {
    parameter("correct", 1), parameter("low", -1, -k_much, 0), parameter("high", 2, 0),
    parameter("dead_band", 0.01, 0, 1)};

double log_speedup(const Judged& j, const Values& v) {
    if (!j.correct()) {
        return 0;
    }
    const double speedup = j.cautious_speedup();
    double gain = speedup > 0 ? std::log(speedup) : v.numbers[1];
    gain = std::abs(gain) < std::log1p(v.numbers[3]) ? 0 : gain;
    return v.numbers[0] + std::clamp(gain, v.numbers[1], v.numbers[2]);
}

// ---- as published ----

double ratio(const Judged& j, const Values&) {
    return j.correct() ? j.mean_speedup() : 0;
}

constexpr ScoreParameter k_kevin[] = {parameter("correct", 0.3)};

double kevin(const Judged& j, const Values& v) {
    return j.correct() ? v.numbers[0] + j.speedup() : 0;
}

constexpr ScoreParameter k_fast_p[] = {parameter("p", 1, 0), parameter("or_equal", 0, 0, 1)};

double fast_p(const Judged& j, const Values& v) {
    const double s = j.correct() ? j.speedup() : 0;
    return s > 0 && (v.numbers[1] != 0 ? s >= v.numbers[0] : s > v.numbers[0]) ? 1 : 0;
}

constexpr ScoreParameter k_tiers[] = {parameter("failed", -1), parameter("not_compiled", -0.5),
                                      parameter("wrong", -0.3), parameter("slower", -0.1)};

double kernelgym_tiers(const Judged& j, const Values& v) {
    if (j.broke_off() || j.cheated()) {
        return v.numbers[0];
    }
    if (!j.correct()) {
        return v.numbers[j.compiled() ? 2 : 1];
    }
    struct Tier {
        double speedup;
        double reward;
    };
    constexpr Tier k_tiers_down[] = {{3, 1}, {2, 0.8}, {1.5, 0.6}, {1.2, 0.4}, {1, 0.2}};
    const double s = j.speedup();
    for (const Tier& tier : k_tiers_down) {
        if (s >= tier.speedup) {
            return tier.reward;
        }
    }
    return v.numbers[3];
}

constexpr ScoreParameter k_weighted[] = {parameter("correct", 0.5), parameter("faster", 0.5),
                                         parameter("epsilon", 0.01, 0), parameter("coverage", 0),
                                         parameter("penalty", 0)};

double kernelgym_weighted(const Judged& j, const Values& v) {
    if (j.broke_off() || j.cheated()) {
        return v.numbers[4];
    }
    if (!j.correct()) {
        return 0;
    }
    const bool faster = j.speedup() >= 1 + v.numbers[2];
    return v.numbers[0] + (faster ? v.numbers[1] : 0) + v.numbers[3] * j.coverage();
}

constexpr ScoreParameter k_kernelgym_speedup[] = {
    parameter("correct", 0.5), parameter("faster", 0.5),   parameter("most", 3, 0),
    parameter("least", 0, 0),  parameter("coverage", 0.5), parameter("penalty", 0)};

double kernelgym_speedup(const Judged& j, const Values& v) {
    if (j.broke_off() || j.cheated()) {
        return v.numbers[5];
    }
    if (!j.correct()) {
        return 0;
    }
    const double s = std::min(j.speedup(), v.numbers[2]);
    return v.numbers[0] + v.numbers[1] * (s < v.numbers[3] ? 0 : s) + v.numbers[4] * j.coverage();
}

constexpr ScoreParameter k_milestone[] = {parameter("margin", 0.05, 0)};

double cuda_agent_milestone(const Judged& j, const Values& v) {
    if (!j.correct()) {
        return -1;
    }
    const double bar = 1 + v.numbers[0];
    if (!(j.speedup() > bar)) {
        return 1;
    }
    return j.rival_speedup() > bar ? 3 : 2;
}

double adaexplore(const Judged& j, const Values&) {
    if (!j.correct()) {
        return j.compiled() ? 0.05 : 0;
    }
    return 0.4 + 1.2 * (std::clamp(j.speedup(), 0.1, 10.0) - 0.1) / 9.9;
}

constexpr ScoreParameter k_kernelfoundry[] = {parameter("target", 2, 1e-6)};

double kernelfoundry(const Judged& j, const Values& v) {
    if (!j.correct()) {
        return j.compiled() ? 0.1 : 0;
    }
    return 0.5 + 0.5 * std::min(1.0, j.speedup() / v.numbers[0]);
}

double ksearch(const Judged& j, const Values&) {
    return j.correct() ? j.mean_speedup() : -1;
}

constexpr ScoreParameter k_cudaforge[] = {parameter("wrong", -k_much, -1e300, 1e300)};

double cudaforge(const Judged& j, const Values& v) {
    return j.correct() ? j.speedup() : v.numbers[0];
}

constexpr ScoreParameter k_kernrl[] = {parameter("compiled", 0.1), parameter("correct", 0.3),
                                       parameter("faster", 0.3), parameter("per_doubling", 0.3),
                                       parameter("most", 0.6, 0)};

double openenv_kernrl(const Judged& j, const Values& v) {
    double sum = j.compiled() ? v.numbers[0] : 0;
    if (j.correct()) {
        const double s = j.speedup();
        sum += v.numbers[1];
        sum += s > 1 ? v.numbers[2] + std::min(v.numbers[3] * std::log2(s), v.numbers[4]) : 0;
    }
    return sum;
}

double sol_score(const Judged& j, const Values&) {
    return j.correct() ? j.sol_score() : 0;
}

double counter(const Judged& j, const Values& v) {
    if (!j.correct()) {
        return 0;
    }
    constexpr double k_no_score = std::numeric_limits<double>::quiet_NaN();
    if (!j.verdict().profile) {
        return k_no_score;
    }
    const auto& metrics = j.verdict().profile->metrics;
    const auto found = metrics.find(v.counter);
    if (found == metrics.end() || !std::isfinite(found->second)) {
        return k_no_score;
    }
    const double s = j.speedup();
    return found->second + v.numbers[0] * s / (1 + s);
}

constexpr ScoreParameter k_counter[] = {parameter("tie", 1e-3, 0)};

double fraction_tests_passed(const Judged& j, const Values&) {
    return j.correct() ? 1 : j.passed_share();
}

constexpr ScoreParameter k_dr_kernel[] = {parameter("most", 3, 0)};

double dr_kernel(const Judged& j, const Values& v) {
    return j.correct() ? 1 + std::min(j.speedup(), v.numbers[0]) + j.coverage() : 0;
}

constexpr ScoreParameter k_tinker[] = {parameter("correct", 0.3), parameter("weight", 1),
                                       parameter("baseline", 1, 0), parameter("most", 10, 0)};

double kernelbench_tinker(const Judged& j, const Values& v) {
    if (!j.correct()) {
        return 0;
    }
    const double gain = j.speedup() - v.numbers[2];
    return v.numbers[0] + (gain > 0 ? v.numbers[1] * std::min(gain, v.numbers[3]) : 0);
}

double tritonforge(const Judged& j, const Values&) {
    if (!j.correct()) {
        return j.compiled() ? 0.1 : 0;
    }
    return 0.3 + std::clamp(j.speedup() - 1, 0.0, 2.0);
}

double triton_eval(const Judged& j, const Values&) {
    if (!j.correct()) {
        return j.compiled() && !j.broke_off() ? 0 : -0.2;
    }
    const double s = j.speedup();
    return s > 1 ? 1 + std::log(s) : 1 - 0.5 * (1 - s);
}

constexpr std::span<const ScoreParameter> k_none;

constexpr ScoreFormula k_formulas[] = {
    {"speedup", "K ? s : 0", "KernelGenBench's geometric mean over test cases (R20)", k_none,
     speedup, true, true, true},
    {"light", "K ? l : 0, l: geometric mean of speed-of-light over candidate time",
     "roofline fraction: Atrex-Bench, kernelbench.com (R15, workloads of equal weight)", k_none,
     light, true, false, true},
    {"external",
     "the judge's \"score\", else \"combined_score\", else the mean of its numbers; 0 when wrong",
     "OpenEvolve's rule", k_none, external, false, false, true},
    {"log_speedup",
     "K ? correct + clip(ln s', low, high) : 0; s': by the upper ends of the times' 95 % "
     "intervals; |ln s'| < ln(1 + dead_band) counts as 0",
     "Atoll's own: log s as in DRTriton, a dead band as in Dr. Kernel and CUDA-L1", k_log_speedup,
     log_speedup},
    {"ratio", "K ? n : 0", "CUDA-L1 (arXiv 2507.14111); mean speed-up of KernelBench (R01)", k_none,
     ratio},
    {"kevin", "correct K + s K", "Kevin (arXiv 2507.11948): 0.3 for right answers (R02)", k_kevin,
     kevin},
    {"fast_p", "K and s > p ? 1 : 0 (s >= p with or_equal = 1)",
     "KernelBench, src/kernelbench/score.py; >= is AutoKernel's (R03)", k_fast_p, fast_p},
    {"kernelgym_tiers",
     "failed (broke off, or cheated) | not_compiled | wrong | slower (s < 1) | 0.2 from s = 1, 0.4 "
     "from 1.2, 0.6 from 1.5, 0.8 from 2, 1 from 3",
     "KernelGYM, reward_client.py, calculate_reward_like_kernel (R04)", k_tiers, kernelgym_tiers},
    {"kernelgym_weighted",
     "correct K + faster [s >= 1 + epsilon] + coverage c K, c: share of own kernels; penalty for "
     "what broke off or cheated",
     "KernelGYM, reward_client.py, calculate_reward_weighted (R05)", k_weighted,
     kernelgym_weighted},
    {"kernelgym_speedup",
     "K ? correct + faster s' + coverage c : 0, s' = min(s, most), and 0 below least; penalty for "
     "what broke off or cheated",
     "KernelGYM, reward_client.py, calculate_reward_speedup; coverage as in its 14B recipe (R06)",
     k_kernelgym_speedup, kernelgym_speedup},
    {"cuda_agent_milestone",
     "-1 wrong | 1 right | 2 s > 1 + margin | 3 also against the fastest rival in the verdict",
     "CUDA Agent (arXiv 2602.24286): the rival is torch.compile there (R07)", k_milestone,
     cuda_agent_milestone},
    {"adaexplore", "not C: 0 | not K: 0.05 | 0.4 + 1.2 (clip(s, 0.1, 10) - 0.1) / 9.9",
     "AdaExplore, agent/mcts.py (R08)", k_none, adaexplore},
    {"kernelfoundry", "not C: 0 | not K: 0.1 | 0.5 + 0.5 min(1, s / target)", "KernelFoundry (R09)",
     k_kernelfoundry, kernelfoundry},
    {"ksearch", "K ? n : -1", "K-Search, k_search/tasks/task_base.py (R10)", k_none, ksearch},
    {"cudaforge", "K ? s : wrong",
     "CudaForge, main.py: minus infinity for what is wrong, which JSON cannot say (R11)",
     k_cudaforge, cudaforge},
    {"openenv_kernrl",
     "compiled C + correct K + [K and s > 1] (faster + min(per_doubling log2 s, most))",
     "OpenEnv kernrl as first proposed, huggingface/OpenEnv PR 308 (R13)", k_kernrl,
     openenv_kernrl},
    {"sol_score", "K ? mean over workloads of 1 / (1 + (T - T_light) / (T_baseline - T_light)) : 0",
     "SOL-ExecBench: 0.5 at the baseline, 1 at the speed of light (R14), also below it; with a "
     "baseline at the light T_light / T / 2 above it",
     k_none, sol_score},
    {k_counter_formula,
     "K ? the metric named by `counter` + tie s / (1 + s) : 0; right, but not counted: no score",
     "SwizzlePerf, IntelliPerf: a hardware counter, then time (R19)", k_counter, counter},
    {"fraction_tests_passed",
     "passed over all public cases that verification came to; it stops at the first that fails",
     "TritorX, OpInfo (R22)", k_none, fraction_tests_passed, false, false},
    {"dr_kernel", "K ? 1 + min(s, most) + c : 0, c: share of own kernels",
     "Dr. Kernel (arXiv 2602.05885)", k_dr_kernel, dr_kernel},
    {"kernelbench_tinker", "K ? correct + weight min(max(s - baseline, 0), most) : 0",
     "kernelbench-tinker", k_tinker, kernelbench_tinker},
    {"tritonforge", "not C: 0 | not K: 0.1 | 0.3 + clip(s - 1, 0, 2)", "TritonForge", k_none,
     tritonforge},
    {"triton_eval", "-0.2 not compiled or broke off | 0 wrong | 1 + ln s | s <= 1: 1 - 0.5 (1 - s)",
     "triton_eval, without its part for memory", k_none, triton_eval},
};

}  // namespace

std::span<const ScoreFormula> score_formulas() {
    return k_formulas;
}

const ScoreFormula* find_formula(std::string_view name) {
    const auto found = std::find_if(std::begin(k_formulas), std::end(k_formulas),
                                    [&](const ScoreFormula& one) { return one.name == name; });
    return found == std::end(k_formulas) ? nullptr : &*found;
}

}  // namespace atl
