#pragma once

#include "reward/cuda/gpu.hpp"
#include "reward/gpu/device_clocks.hpp"
#include "reward/gpu/runner_messages.hpp"
#include "reward/verdict.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace atl {

/// What a measurement knows of its device.
struct GpuDeviceFacts {
    const DeviceClocks* clocks = nullptr;  ///< null: there is no NVML
    double copy_bandwidth = 0;             ///< bytes read and written per second; 0: not measured
};

/// What timed calls on one workload tell besides the times (GpuTiming), collected.
class GpuTimingFacts {
  public:
    /// Right after a call, while the device's clocks are still those of its launches.
    void add(const GpuTimed& timed, const DeviceClocks* clocks);
    /// `clock`: of the samples. Kernels' shares are of the calls' first launches, of which alone
    /// the runner tells every kernel.
    [[nodiscard]] GpuTiming report(const std::string& clock) const;

  private:
    struct Sum {
        std::size_t launches = 0;
        double ns = 0;
    };
    std::map<std::string, Sum> m_kernels;
    std::size_t m_calls = 0;  ///< that told their kernels
    std::vector<double> m_clocks_mhz;
    std::set<std::string> m_throttling;
};

/// Bytes per second, read and written, that copies within a device's memory reach: the best of a
/// few, of eight times the L2 cache, by events. Takes some milliseconds on an idle device.
[[nodiscard]] Expected<double> measure_copy_bandwidth(const Gpu& gpu, cuda::Stream stream);

}  // namespace atl
