#pragma once

#include "reward/base/error.hpp"
#include "reward/verdict.hpp"

#include <string>

namespace atl {

/// Reads what a judge wrote to standard output: one JSON object, alone or as the last line.
///     {"correct": bool, "score": x, "scores" or "metrics": {name: x}, "times": {workload: ns},
///      "feedback": text, "artefacts": {name: text}}
/// and fills outcome, reason, scores, measure, feedback and artefacts of the verdict. Texts are cut
/// to their limits; an error (malformed, nothing to score, a number that is not finite) means that
/// the judge failed. Other keys are ignored. Pure.
[[nodiscard]] Status read_judge_answer(const std::string& output, Verdict& verdict);

/// At most `max_bytes` of a text, cut between UTF-8 characters; what is no UTF-8 is replaced.
[[nodiscard]] std::string cut_text(const std::string& text, std::size_t max_bytes);

inline constexpr std::size_t k_max_feedback_bytes = 16 << 10;
inline constexpr std::size_t k_max_artefact_bytes = 64 << 10;
inline constexpr std::size_t k_max_artefacts = 64;
inline constexpr std::size_t k_max_scores = 256;
inline constexpr std::size_t k_max_times = 10'000;
inline constexpr std::size_t k_max_score_name_bytes = 128;
inline constexpr const char* k_external_protocol = "external";

}  // namespace atl
