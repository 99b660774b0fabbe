#pragma once

#include "reward/cuda/device_limits.hpp"
#include "reward/device_facts.hpp"
#include "reward/device_peaks.hpp"
#include "reward/gpu/gpu_peaks.hpp"

#include <string>

namespace atl {

/// What a model is told of the device its candidates are timed on, a line for each fact. What is
/// unknown (0) has no line.
[[nodiscard]] std::string hardware_card(const DeviceLimits& limits, const GpuPeaks& peaks);

/// Of one core of this machine. `model` as the system names the CPU.
[[nodiscard]] std::string hardware_card(const std::string& model, const DevicePeaks& peaks);

/// Of either.
[[nodiscard]] std::string hardware_card(const DeviceFacts& facts);

}  // namespace atl
