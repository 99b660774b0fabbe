#pragma once

#include "reward/base/files.hpp"
#include "reward/cuda/device_limits.hpp"
#include "reward/device_lane.hpp"
#include "reward/gpu/gpu_peaks.hpp"

#include <memory>
#include <string>
#include <vector>

namespace atl {

struct GpuLaneOptions {
    int gpu = 0;         ///< ordinal
    std::string driver;  ///< path of libcuda
    std::string cupti;   ///< path of libcupti; empty: the clock is the driver's events
    DeviceLimits limits;
    GpuPeaks peaks;
    /// Cubin of reward/gpu/support_kernels.hpp.
    std::shared_ptr<const FileHandle> support;
    std::string worker_program;  ///< empty: atoll-worker beside this program
    std::vector<int> cores;  ///< the processes and the lane's thread are pinned to these; empty:
                             ///< anywhere
};

/// A GPU: a verifier process, a runner process, and a second runner that waits with a live context
/// (DESIGN section 6): when a candidate takes the first one down, the second has the next candidate
/// at once, and a third is started. A runner is never started while the verifier measures. No
/// process runs before the first restart().
[[nodiscard]] std::unique_ptr<DeviceLane> make_gpu_lane(GpuLaneOptions options);

}  // namespace atl
