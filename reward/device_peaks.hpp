#pragma once

#include "reward/base/error.hpp"
#include "reward/core_probe.hpp"

#include <cstdint>
#include <string>

namespace atl {

/// What one core of this machine can do, for speed-of-light bounds.
struct DevicePeaks {
    double flops = 0;               ///< single-precision, per second, one core
    double bandwidth = 0;           ///< bytes read per second from memory by one core
    std::uint64_t cache_bytes = 0;  ///< the last-level cache that this core can use
    CoreBest core;                  ///< its clock at its fastest, undisturbed
    std::string vector_unit;        ///< "AVX-512", "AVX2 with FMA", "portable"
};

/// Measures on `core` (the best of several repetitions of independent fused multiply-adds, and of
/// reading a buffer much larger than the last-level cache); takes about 0.3 s and up to 512 MiB.
/// Cache sizes come from sysfs (/sys/devices/system/cpu/cpuN/cache). Thread-safe, but two at once
/// disturb each other. Fails when the thread cannot be pinned to the core or memory is short.
[[nodiscard]] Expected<DevicePeaks> measure_device_peaks(int core);

}  // namespace atl
