#pragma once

#include "reward/base/error.hpp"
#include "reward/verifier/messages.hpp"
#include "reward/verifier/task_layout.hpp"

#include <span>

namespace atl {

/// Lower bounds of a launch's time, in nanoseconds; 0 when the task states no work or the device's
/// peaks are unknown (roofline model: Williams, Waterman and Patterson, CACM 52(4), 2009).
struct SpeedOfLight {
    /// For reports: max(flops / peak, bytes / bandwidth), every byte counted.
    double report_ns = 0;
    double compute_ns = 0;  ///< flops / peak
    double memory_ns = 0;   ///< bytes / bandwidth, every byte counted
    /// For judging: inputs come from memory (every launch begins cold), but outputs that fit into
    /// the last-level cache may stay there and are not counted; where the order's peak is not that
    /// of the task's types, the peak of narrow ones is taken as four times it (8-bit dot products);
    /// and a margin covers the error of measured peaks and algorithms that save operations. A
    /// candidate below it did not do the work.
    double judge_ns = 0;
};

/// invalid_argument when a work expression cannot be evaluated.
[[nodiscard]] Expected<SpeedOfLight> speed_of_light(const TaskLayout& layout,
                                                    const BoundWorkload& workload,
                                                    const EvaluateOrder& order);

/// Whether samples say that a launch is faster than `judge_ns` allows. Both medians must:
/// where too few launches were undisturbed the counted ones are divided by what the anchor saw,
/// which makes honest ones look short where it was held up and they were not; a raw time is never
/// too short.
[[nodiscard]] bool beats_light(std::span<const double> raw_ns, std::span<const double> counted_ns,
                               double judge_ns);

}  // namespace atl
