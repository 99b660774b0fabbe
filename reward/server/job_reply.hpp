#pragma once

#include "reward/server/http_exchange.hpp"
#include "reward/server/job.hpp"

#include <chrono>

namespace atl {

/// For who asks about a job: 200 with its document, whatever its state.
[[nodiscard]] HttpReply reply_about(const ServerJob& job);

/// For who waits for its verdict: 200 with a verdict, 202 while it is pending, else an error with
/// the job's document beside it, so that no fault of ours can be taken for a reward.
[[nodiscard]] HttpReply reply_to_waiting(const ServerJob& job, std::chrono::seconds retry_after);

/// REQUIRES state fault or cancelled. 504 deadline, 500 task_fault, 503 no_verdict, 409 cancelled.
[[nodiscard]] Refusal refusal_of(const ServerJob& job, std::chrono::seconds retry_after);

[[nodiscard]] Refusal unknown_job();

}  // namespace atl
