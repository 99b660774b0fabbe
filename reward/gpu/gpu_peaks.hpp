#pragma once

#include "reward/cuda/device_limits.hpp"
#include "reward/task.hpp"

namespace atl {

/// What a model of GPU can do at most, per second; 0: unknown. Rates of tensor cores are dense ones
/// with the fastest accumulator.
struct GpuPeaks {
    double fp64 = 0;
    double fp32 = 0;  ///< without tensor cores
    double tf32 = 0;
    double half = 0;       ///< fp16 or bf16, whichever is faster
    double eight_bit = 0;  ///< fp8 or int8, whichever is faster
    double bandwidth = 0;  ///< of its memory, bytes
};

/// By the name that the driver gives it, from NVIDIA's data sheets (H100, H200, A100, B200, L40S)
/// and the Ada architecture's white paper (RTX 4090). Rates of others are those of a known device
/// of the same generation by multiprocessor, their bandwidth is unknown. Pure.
[[nodiscard]] GpuPeaks gpu_peaks_of(const DeviceLimits& device);

/// Operations per second for the light that a time is set beside: the highest rate that the width
/// of any of the task's tensors allows; 0: unknown. Of float32 inputs that is TF32's only
/// where the task's precision policy allows TF32; elsewhere that of the vector units or of three
/// TF32 products for each one, whichever is higher.
[[nodiscard]] double peak_flops_for(const GpuPeaks& peaks, const Task& task);

/// Operations per second that no program for `task` can exceed, for judging: as above, but TF32's
/// for float32 in any case. A program may honestly make products of float32 of several of TF32,
/// and pass.
[[nodiscard]] double most_flops_for(const GpuPeaks& peaks, const Task& task);

}  // namespace atl
