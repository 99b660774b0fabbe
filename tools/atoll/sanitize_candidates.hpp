#pragma once

#include "reward/evaluator.hpp"
#include "tools/atoll/verdict_report.hpp"

#include <string>
#include <vector>

namespace atl {

/// What `atoll eval --sanitize` needs, looked for before anything is evaluated. Throws CommandError
/// (infrastructure) that says how to install compute-sanitizer; (usage) for tasks that are not
/// judged on a GPU.
[[nodiscard]] std::string compute_sanitizer_or_throw(const Task& task);

/// Runs compute-sanitizer with `tools` on the candidates that got as far as the device, one after
/// the other: what is found becomes the outcome of those that seemed right, and a part of every
/// report. Throws CommandError (infrastructure) when it cannot be run. No evaluator may be using
/// the device.
void sanitize_candidates(const TaskPtr& task, const std::vector<Candidate>& candidates,
                         const LocalEvaluatorOptions& options, const std::string& program,
                         const std::vector<std::string>& tools,
                         std::vector<EvaluatedFile>& evaluated);

}  // namespace atl
