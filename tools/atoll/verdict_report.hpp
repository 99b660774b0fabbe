#pragma once

#include "reward/evaluator.hpp"
#include "reward/score.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace atl {

/// The rival that stands for the task's default starter at level confirm.
inline constexpr const char* k_starter_rival = "starter";

/// One evaluated file, as `atoll eval` prints it.
struct EvaluatedFile {
    std::string file;
    EvaluationResult result;
};

/// Whether no verdict is the task's mistake (a reference that crashes, a judge that is not there)
/// and none of this machine: report and exit status say so.
[[nodiscard]] bool is_fault_of_task(const Error& error);

/// Readable report: outcome, reason, what went wrong, times against `baseline`. Nothing about
/// hidden workloads. Safe for a terminal.
[[nodiscard]] std::string report_text(const EvaluatedFile& evaluated, const Task& task,
                                      const BaselineTimes& baseline);

/// The counters of a verdict's profile, a line each, or why there are none.
[[nodiscard]] std::string metrics_text(const Verdict& verdict);

/// {"file", "status": "passed" | "failed" | "fault", "verdict" or "fault", "scores"}.
[[nodiscard]] nlohmann::json report_json(const EvaluatedFile& evaluated,
                                         const BaselineTimes& baseline);

}  // namespace atl
