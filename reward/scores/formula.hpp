#pragma once

#include "reward/scores/judged.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// A number that a formula leaves open.
struct ScoreParameter {
    const char* name;
    double value;  ///< as published
    double low;
    double high;
};

/// The values of a formula's parameters, in its order, and the one text that a formula may take.
struct ScoreValues {
    std::vector<double> numbers;
    std::string counter;  ///< of formula "counter": the metric's name
};

/// How a number is made of a verdict. C compiled, K correct (both 0 or 1), s speed-up over the
/// baseline (geometric mean over public workloads; 0 where it is not known), n the mean of the
/// ratios, l the share of the speed of light. Sources are in the words of formulas.cpp, where each
/// stands beside its arithmetic.
struct ScoreFormula {
    const char* name;
    const char* words;   ///< the formula, for people
    const char* source;  ///< the paper or program that it is from
    std::span<const ScoreParameter> parameters;
    /// NaN: there is no score, since something was not taken that the formula looks at.
    double (*compute)(const Judged& judged, const ScoreValues& values);
    /// Right verdicts without times (level verify) cannot be scored by it.
    bool needs_times = true;
    bool needs_baseline = true;
    /// 0 for what is wrong and above 0 for what is right, so that a search can use it as fitness
    /// (k_score_rule).
    bool is_fitness = false;
};

/// All that there are; Atoll's own first.
[[nodiscard]] std::span<const ScoreFormula> score_formulas();
/// nullptr when there is none.
[[nodiscard]] const ScoreFormula* find_formula(std::string_view name);

/// The only formula that needs a text, and so is there in presets of a file alone.
inline constexpr const char* k_counter_formula = "counter";

}  // namespace atl
