#pragma once

#include "reward/base/error.hpp"
#include "reward/base/rng.hpp"
#include "reward/gpu/gpu_programs.hpp"
#include "reward/gpu/gpu_task.hpp"
#include "reward/profile_report.hpp"

#include <cstddef>
#include <cstdint>

namespace atl {

/// What the device counts while program 0 runs once on a workload. `workload`: index of
/// Task::workloads, a public one; others are an error. What goes wrong with the counting is said in
/// the reading. Used on the thread of the task's Gpu.
[[nodiscard]] Expected<CounterReading> count_launch(GpuTask& task, GpuPrograms& programs,
                                                    CounterRng& rng, std::size_t workload,
                                                    std::uint64_t limit_ns);

}  // namespace atl
