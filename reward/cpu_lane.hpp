#pragma once

#include "reward/base/sandbox.hpp"
#include "reward/device_lane.hpp"
#include "reward/device_peaks.hpp"

#include <memory>
#include <string>
#include <vector>

namespace atl {

struct CpuLaneOptions {
    std::vector<int> cores;     ///< of the device; both processes are pinned to them
    std::string model;          ///< cpu_model()
    std::size_t all_cores = 1;  ///< of the machine, for the description
    DevicePeaks peaks;          ///< of one core
    SandboxLevel required = SandboxLevel::full;
    std::string worker_program;  ///< empty: atoll-worker beside this program
};

/// A CPU device: a verifier process and a runner process joined by a socket pair, both pinned to
/// the device's cores. No process runs before the first restart().
[[nodiscard]] std::unique_ptr<DeviceLane> make_cpu_lane(CpuLaneOptions options);

}  // namespace atl
