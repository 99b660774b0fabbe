#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/toolkit_places.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace atl {

/// A part of CUDA that was found, by its own word.
struct CudaLibrary {
    std::string path;  ///< absolute
    int major = 0;     ///< of the CUDA toolkit that it belongs to; the driver: that it supports
    int minor = 0;
};

/// What of CUDA this machine has. All of it may be missing.
struct CudaToolkit {
    std::optional<CudaLibrary> driver;    ///< libcuda: the version of CUDA that it supports
    std::optional<CudaLibrary> nvrtc;     ///< 12.4 to 13.x
    std::optional<CudaLibrary> cupti;     ///< 13
    std::optional<CudaLibrary> jit_link;  ///< nvJitLink, 12.4 to 13.x: assembles PTX
    /// The folder with cuda_fp16.h, of the same version as NVRTC. CUDA 13 has CCCL in its cccl/,
    /// CUDA 12 in the folder itself. Empty: not found.
    std::string include;
    /// CUTLASS's folder of headers, which holds cutlass/ and cute/, and its version ("4.2.1").
    /// Empty: none is configured.
    std::string cutlass;
    std::string cutlass_version;
    bool cutlass_wanted = false;  ///< a place is configured
    /// What was found and cannot be used, or is missing though something else was found, with the
    /// reason and the remedy.
    std::vector<std::string> problems;
};

/// Loads libraries into this process for good (see SharedLibrary), but starts nothing: no cuInit.
/// Loading NVRTC and CUPTI takes some 10 ms. Not for a process that runs candidates.
[[nodiscard]] CudaToolkit find_cuda_toolkit(const CudaPlaces& places = usual_cuda_places());

/// Loads what NVRTC opens by its bare name for each compilation, and which the dynamic linker then
/// knows: not every installation tells it where that lies, and in a jail it would not be there.
/// find_cuda_toolkit() has done so; another process that compiles must, before its jail closes.
[[nodiscard]] Status load_nvrtc_builtins(const CudaLibrary& nvrtc);

/// The CUDA toolkit of an API version that cuptiGetVersion() told, as the table in CUPTI's
/// cupti_version.h has it: since CUDA 13 the number is 10000 * major + 100 * minor + update, before
/// it counted releases. {0, 0}: older than CUDA 12, or none that the table knows.
struct CudaVersion {
    int major = 0;
    int minor = 0;
    bool operator==(const CudaVersion&) const = default;
};
[[nodiscard]] CudaVersion toolkit_of_cupti(std::uint32_t api_version);

}  // namespace atl
