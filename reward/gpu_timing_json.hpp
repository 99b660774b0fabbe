#pragma once

#include "reward/verdict.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace atl {

/// The part "gpu" of a WorkloadTiming in a verdict's JSON. Errors: corrupt, limit.
[[nodiscard]] nlohmann::json gpu_timing_to_json(const GpuTiming& timing);
[[nodiscard]] Expected<GpuTiming> gpu_timing_from_json(const nlohmann::json& value,
                                                       const std::string& where);

}  // namespace atl
