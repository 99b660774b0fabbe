#pragma once

#include "reward/scores/judged.hpp"

#include <string>
#include <vector>

namespace atl {

/// Computes a number from a stored verdict by the name of a preset without a file
/// (scores/presets.hpp); an unknown one is an error that lists the known ones.
[[nodiscard]] Expected<double> score(const std::string& preset, const Verdict& verdict,
                                     const BaselineTimes& baseline);

/// The presets that a search can use as fitness: "speedup", "light", "external". Training's are
/// more: what is wrong may be worth something, and what is right less than nothing.
[[nodiscard]] const std::vector<std::string>& fitness_presets();

/// To a search, 0 is what wrong candidates have: one that scores no more cannot be kept.
inline constexpr const char* k_score_rule = "a score must be above 0 to count as right";
inline constexpr const char* k_score_hint =
    "let the judge shift it: answer 1 / (1 + loss) instead of -loss, or add a constant";

}  // namespace atl
