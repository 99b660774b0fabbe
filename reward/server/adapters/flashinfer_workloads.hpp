#pragma once

#include "reward/task.hpp"

#include <nlohmann/json_fwd.hpp>

namespace atl {

/// Workloads as flashinfer-bench names and describes them. Pure.

/// Those that are timed and not hidden.
[[nodiscard]] bool is_shown(const Workload& workload);
/// Its uuid there is "TASK.ID", since ids of ours are unique within their task alone.
[[nodiscard]] nlohmann::json workload_json(const Task& task, const Workload& workload);

}  // namespace atl
