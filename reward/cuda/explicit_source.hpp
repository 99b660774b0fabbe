#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/device_limits.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace atl {

/// In which form a CUDA program comes.
enum class SourceForm {
    cuda,   ///< CUDA C++ with a launcher
    ptx,    ///< PTX; the plan stands in its leading comment
    cubin,  ///< JSON with machine code and the plan
};

/// A candidate without a launcher, taken apart. Texts are hostile: errors are the candidate's fault
/// (invalid_argument, limit or corrupt) and say what to write instead.
struct ExplicitSource {
    nlohmann::ordered_json plan;  ///< see evaluate_explicit_plan()
    std::string code;             ///< PTX, or the bytes of a cubin
};

/// A line `// plan: {...` begins the plan, and the comment lines that follow it, without their
/// `//`, continue it: one JSON object. The code is the whole text, so that its lines keep their
/// numbers.
[[nodiscard]] Expected<ExplicitSource> read_ptx_source(std::string_view text);

/// `{"plan": {...}, "cubin": "base64"}`.
[[nodiscard]] Expected<ExplicitSource> read_cubin_source(std::string_view text);

/// Whether the device can run machine code that Atoll did not make: a linked cubin of its own major
/// compute capability, and of no later minor one. What it says of its kernels is for
/// read_cubin_facts().
[[nodiscard]] Status check_foreign_cubin(std::string_view cubin, const DeviceLimits& device);

}  // namespace atl
