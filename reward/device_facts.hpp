#pragma once

#include "reward/cuda/device_limits.hpp"
#include "reward/device_peaks.hpp"

#include <optional>
#include <string>

namespace atl {

/// What an evaluator knows of the devices that it measures on, which are alike. A plain value.
struct DeviceFacts {
    std::string cpu_model;            ///< as the system names it; empty for GPUs
    std::optional<DevicePeaks> core;  ///< of one CPU core that measures
    std::optional<DeviceLimits> gpu;
};

}  // namespace atl
