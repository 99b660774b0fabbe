#pragma once

#include "reward/score.hpp"
#include "reward/server/job.hpp"

#include <string>

namespace atl {

/// A job as clients see it: one JSON object (schema Job in openapi.inc) without line breaks.
/// Thread-safe as far as the job's id and request are not changed meanwhile.

[[nodiscard]] std::string pending_document(const ServerJob& job);
/// With the verdict's public part, the scores that were asked for and the feedback. `baseline`:
/// for "speedup".
[[nodiscard]] std::string verdict_document(const ServerJob& job, const Verdict& verdict,
                                           const BaselineTimes& baseline);
[[nodiscard]] std::string fault_document(const ServerJob& job, const InfrastructureFault& fault);
[[nodiscard]] std::string cancelled_document(const ServerJob& job, const std::string& why);

/// The verdict on a reply that holds no code.
[[nodiscard]] Verdict no_code_verdict(const JobRequest& request);

}  // namespace atl
