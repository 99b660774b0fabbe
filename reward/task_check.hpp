#pragma once

#include "reward/base/error.hpp"
#include "reward/compiler.hpp"
#include "reward/task.hpp"

#include <string>
#include <vector>

namespace atl {

/// One thing that `atoll task check` has to say about a task.
struct TaskFinding {
    enum class Severity { note, warning, error };
    Severity severity = Severity::error;
    std::string rule;  ///< e.g. "zeros", "hidden", "starter"
    std::string what;
    std::string hint;
};

[[nodiscard]] const char* to_string(TaskFinding::Severity severity);

struct TaskCheck {
    std::vector<TaskFinding> findings;

    [[nodiscard]] std::size_t count(TaskFinding::Severity severity) const;
    [[nodiscard]] bool passed() const { return count(TaskFinding::Severity::error) == 0; }
};

/// Whether the task can tell right from wrong (DESIGN section 4): answers that are zero, constant,
/// the mean, an echo of an input, or left from other inputs must fail; outputs must depend on
/// every input; the reference must be finite, complete and repeatable; there must be several
/// distributions and workloads, hidden ones among them; starters must compile, be tunable and be
/// right. The task's code runs in child processes, so its crash is a finding. Takes seconds.
/// `compiler` may be null for kinds external and cuda; of cuda only what needs no device is
/// checked, which a finding says. An error is a fault of ours.
[[nodiscard]] Expected<TaskCheck> check_task(const TaskPtr& task, Compiler* compiler);

/// The rules that need nothing run; check_task() includes them.
[[nodiscard]] std::vector<TaskFinding> check_task_text(const Task& task);

/// The rules for kind external: the judge must pass the starters and refuse nonsense.
[[nodiscard]] Expected<std::vector<TaskFinding>> check_external_task(const Task& task);

/// The rules for kind cuda that need no device: each source splits into kernels and a launcher.
[[nodiscard]] std::vector<TaskFinding> check_cuda_task(const Task& task);

}  // namespace atl
