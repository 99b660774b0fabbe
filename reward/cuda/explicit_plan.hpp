#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/plan.hpp"
#include "reward/task.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace atl {

/// The plan that a candidate without a launcher (kinds ptx and cubin) carries as JSON: what is
/// launched, with expressions over the task's axes (reward/expression.hpp) for numbers, so that one
/// text serves every workload. reward/README.md has the form.

/// The plan for one workload. The text is hostile: an error is the candidate's fault
/// (invalid_argument or limit) and names the place; the plan has yet to pass check_plan(). Pure.
[[nodiscard]] Expected<Plan> evaluate_explicit_plan(const nlohmann::ordered_json& plan,
                                                    const Task& task, const Workload& workload);

}  // namespace atl
