#pragma once

#include "reward/scores/judged.hpp"
#include "reward/verdict.hpp"

#include <cstddef>
#include <string>

namespace atl {

inline constexpr std::size_t k_longest_feedback = 4096;  ///< bytes

/// What a model is told before its next turn: outcome and reason, the compiler's words, the first
/// mismatch, times per workload (against `baseline` where it has one), the bottleneck, the judge's
/// words. REQUIRES public_part(). At most k_longest_feedback bytes of UTF-8.
[[nodiscard]] std::string feedback_text(const Verdict& verdict, const BaselineTimes& baseline);

/// The verdict without what was seen on hidden workloads: neither they nor anything measured on
/// them may reach who writes candidates.
[[nodiscard]] Verdict public_part(Verdict verdict);

}  // namespace atl
