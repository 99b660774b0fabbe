#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/device_limits.hpp"
#include "reward/cuda/front_end.hpp"
#include "reward/profile_report.hpp"
#include "reward/task.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace atl {

/// Index of Task::workloads: of the public ones that are timed (where none is, of all public ones)
/// the one with the most bytes of tensors, the first of several. Nothing when no public one has a
/// plan. Pure.
[[nodiscard]] std::optional<std::size_t> profiled_workload(
    const Task& task, std::span<const std::pair<std::size_t, Plan>> plans);

/// What is known of a candidate without running it: the footprints of its kernels on that workload,
/// and the roofs of the device. Its bottleneck is not named yet (name_bottleneck()). Nothing where
/// there is no such workload. Errors are those of the task's expressions.
[[nodiscard]] Expected<std::optional<ProfileReport>> static_profile(const TaskPtr& task,
                                                                    const FrontEndReply& program,
                                                                    const DeviceLimits& device);

}  // namespace atl
