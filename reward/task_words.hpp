#pragma once

#include "reward/task.hpp"

#include <string>

namespace atl {

/// What a task asks for, in lines for people and prompts: axes, tensors, distributions, tolerance,
/// precision, work, workloads and flags. Of hidden workloads only their number. Its description
/// and contract are not in it. REQUIRES a task that is judged by Atoll itself.
[[nodiscard]] std::string task_words(const Task& task);

}  // namespace atl
