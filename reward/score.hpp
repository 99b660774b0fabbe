#pragma once

#include "reward/verdict.hpp"

#include <map>
#include <string>
#include <vector>

namespace atl {

/// Median time per public workload of the baseline a speed-up is measured against.
using BaselineTimes = std::map<std::string, double>;  ///< workload id -> ns

[[nodiscard]] BaselineTimes baseline_times(const Verdict& verdict);

/// Computes a number from a stored verdict; pure, so it can be recomputed offline. Incorrect
/// candidates score 0. Presets:
///   "speedup"    geometric mean over public workloads of baseline / candidate time
///                (KernelGenBench's geomean of ratios);
///   "light"      geometric mean of speed-of-light / candidate time (roofline fraction);
///   "external"   the judge's "score", else "combined_score", else the mean of its numbers
///                (OpenEvolve's rule).
/// An unknown preset is an error that lists the known ones.
[[nodiscard]] Expected<double> score(const std::string& preset, const Verdict& verdict,
                                     const BaselineTimes& baseline);

[[nodiscard]] const std::vector<std::string>& score_presets();

/// To a search, 0 is what wrong candidates have: one that scores no more cannot be kept.
inline constexpr const char* k_score_rule = "a score must be above 0 to count as right";
inline constexpr const char* k_score_hint =
    "let the judge shift it: answer 1 / (1 + loss) instead of -loss, or add a constant";

}  // namespace atl
