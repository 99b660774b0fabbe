#pragma once

#include "reward/profile_report.hpp"

#include <optional>

namespace atl {

/// Names what holds a program back, from what was counted or, without counters, from the measured
/// time, the roofs and the kernels' footprints. Completes `report`, which has workload, roofs and
/// kernels: source, bottleneck, sentence, and the kernel that all of it is about, which is the one
/// with the most time or, where times are not known, with the most threads. `median_ns`: measured
/// time of the workload; 0: it was not timed. Pure.
///
/// The first rule that fits:
///
/// 1. launch_overhead: k_launch_ns for each launch is half of the time or more, and no roof and no
///    unit explains the rest (no unit busy, the nearest roof below half of the time).
/// 2. The busiest unit, when it is busy for k_busy_percent of the kernel's time: memory, L2, shared
///    memory, instruction slots or tensor cores. The threshold is that of Nsight Compute's "GPU
///    Speed Of Light Throughput" section, which calls kernels below it latency bound. Shared memory
///    counts as conflicts where bank conflicts are a third of its turns; instruction slots as
///    tensor_pipe_idle where rule 4 fits. Without counters: a roof at that share of the time.
/// 3. shared_memory_conflicts: shared memory is busy for half of that, and most turns are
/// conflicts.
/// 4. tensor_pipe_idle: the task's arithmetic is above its traffic on the roofline (Williams,
///    Waterman and Patterson, CACM 52(4), 2009), its inputs are of a type that tensor cores
///    multiply, and they are busy for less than k_idle_percent. Counters only.
/// 5. few_blocks: fewer blocks than multiprocessors.
/// 6. tail_effect: multiprocessors are without work for k_tail_share of the kernel's time. Without
///    counters: blocks of equal length would leave so much of the last wave unused.
/// 7. occupancy_limited: at most k_low_occupancy of a multiprocessor's warps fit at a time.
/// 8. latency_bound; without counters unknown.
void name_bottleneck(ProfileReport& report, double median_ns,
                     const std::optional<CounterReading>& counters);

/// What a kernel that does nothing takes by the device's counters: 1.6 to 2.1 us on an H200.
inline constexpr double k_launch_ns = 2000;
inline constexpr double k_busy_percent = 60;
inline constexpr double k_idle_percent = 10;
inline constexpr double k_tail_share = 0.25;
inline constexpr double k_low_occupancy = 0.5;

}  // namespace atl
