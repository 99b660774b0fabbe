#pragma once

#include "reward/server/adapters/adapters.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// What KernelGYM's client is told, as JSON (its EvaluationResponse). Thread-safe, since only what
/// was seen of a job is looked at. REQUIRES jobs that are pending or done, whose idempotency keys
/// are this and their task_id.
inline constexpr std::string_view k_kernelgym_key = "kernelgym/";

[[nodiscard]] std::string kernelgym_response(const SeenJob& seen);
/// The same of a batch, in its order: `seen`, and between them what was refused.
[[nodiscard]] std::string kernelgym_batch_response(const std::string& batch_id,
                                                   const std::vector<SeenJob>& seen,
                                                   const RefusedTasks& refused);

}  // namespace atl
