#pragma once

#include "reward/base/error.hpp"
#include "reward/task.hpp"

#include <string>

namespace atl {

/// The task's reference.cu as a candidate, to be timed beside others: launch() has it write its
/// double outputs to scratch and rounds them into the real ones by one more kernel each. Sizes are
/// those of the task's public workloads. not_found: the task, of kind cuda, has no reference.
[[nodiscard]] Expected<std::string> reference_candidate(const Task& task);

}  // namespace atl
