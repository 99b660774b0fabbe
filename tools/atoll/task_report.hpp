#pragma once

#include "reward/task.hpp"
#include "reward/task_check.hpp"

#include <string>

namespace atl {

/// Texts of the `atoll task` sub-commands, for people and (the _json ones) for programs. Hidden
/// workloads appear as a number only.
[[nodiscard]] std::string task_text(const Task& task);
[[nodiscard]] std::string task_json(const Task& task);
[[nodiscard]] std::string check_text(const Task& task, const TaskCheck& check, bool notes);
[[nodiscard]] std::string check_json(const Task& task, const TaskCheck& check);

}  // namespace atl
