#pragma once

#include "reward/evaluation_log.hpp"
#include "reward/scores/judged.hpp"
#include "reward/server/job.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atl {

/// A job as clients see it: one JSON object (schema Job in openapi.inc) without line breaks.
/// Thread-safe as far as the job's id and request are not changed meanwhile.

[[nodiscard]] std::string pending_document(const ServerJob& job);
using NamedScores = std::vector<std::pair<std::string, double>>;

/// The scores that were asked for, in their order. Error: a right candidate has none by one of
/// them, since what it looks at was not taken; then there is no answer either.
[[nodiscard]] Expected<NamedScores> scores_of(const JobRequest& request, const Verdict& verdict,
                                              const BaselineTimes& baseline);
/// What is said of a verdict to whoever asks for these scores: the end of a job's object, with the
/// outcome, the scores, the feedback and, where it is wanted, the verdict's public part.
/// `baseline`: where request.wants_baseline().
[[nodiscard]] std::string verdict_text(const JobRequest& request, const Verdict& verdict,
                                       const BaselineTimes& baseline, const NamedScores& scores);
/// `text`: of verdict_text(). `logged`: whether the log has it for good; nothing without a log.
[[nodiscard]] std::string verdict_document(const ServerJob& job, std::string_view text,
                                           std::optional<bool> logged);
/// What the log keeps of a verdict.
[[nodiscard]] EvaluationFacts evaluation_facts(Verdict verdict, const BaselineTimes& baseline,
                                               NamedScores scores);
/// The job for the log: its texts move there. `facts`: nullptr for a fault, said in `fault`.
[[nodiscard]] EvaluationRecord evaluation_record(ServerJob& job,
                                                 std::shared_ptr<const EvaluationFacts> facts,
                                                 std::string fault);
[[nodiscard]] std::string fault_document(const ServerJob& job, const InfrastructureFault& fault);
[[nodiscard]] std::string cancelled_document(const ServerJob& job, const std::string& why);

/// The verdict on a reply that holds no code.
[[nodiscard]] Verdict no_code_verdict(const JobRequest& request);

}  // namespace atl
