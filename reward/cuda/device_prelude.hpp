#pragma once

#include "reward/cuda/nvrtc_library.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// What ordinary .cu files expect of the host's standard headers, which NVRTC has not: the limits,
/// constants and fixed-width types that are missing most in kernels written by people and models.
/// Macros are set only where nobody has. int64_t is long long, as in CCCL under NVRTC (on the host
/// it is long, so that mangled names of kernels that take one differ).
[[nodiscard]] std::string_view device_prelude();

/// Namespace std as kernels use it: fixed-width types, type traits, integer sequences, names of
/// <cmath>, numeric_limits, min, max, clamp, swap, pair and array.
[[nodiscard]] std::string_view device_std();

/// The translation unit that is compiled for `source`: prelude, device_std() where it names std,
/// one #define per tune value, and the source, whose lines keep their numbers under the name
/// candidate.cu. Linear in the source.
[[nodiscard]] std::string with_device_prelude(std::string_view source,
                                              const std::map<std::string, std::string>& defines);

/// Of both halves, as nvcc has it; flags of a candidate may ask for another in the device's.
inline constexpr const char* k_cuda_standard = "-std=c++17";

inline constexpr const char* k_device_source_name = "candidate.cu";

/// Standard headers (cstdio, vector, ...) as empty files: device code finds what it can use of them
/// in the prelude or in NVRTC itself, and host code is not compiled here. And in place of headers
/// with host functions, which NVRTC refuses: the driver's (cuda.h) with nothing but the tensor map,
/// which kernels take as a parameter, and CUB's (cub/cub.cuh) without algorithms for the device.
[[nodiscard]] const std::vector<NvrtcHeader>& host_headers();

}  // namespace atl
