#pragma once

#include "reward/base/error.hpp"

#include <optional>
#include <string>
#include <vector>

namespace atl {

/// A part of CUDA that was found, by its own word.
struct CudaLibrary {
    std::string path;  ///< absolute
    int major = 0;
    int minor = 0;
};

/// What of CUDA this machine has. All of it may be missing.
struct CudaToolkit {
    std::optional<CudaLibrary> driver;  ///< libcuda: the version of CUDA that it supports
    std::optional<CudaLibrary> nvrtc;   ///< 12.4 to 13.x
    std::optional<CudaLibrary> cupti;   ///< 13
    std::string include;                ///< the folder with cuda_fp16.h and cccl/; empty: not found
    /// What was found and cannot be used, with the reason and the remedy.
    std::vector<std::string> problems;
};

/// Looks where CUDA is usually installed. Loads libraries into this process, but starts nothing:
/// no cuInit.
[[nodiscard]] CudaToolkit find_cuda_toolkit();

}  // namespace atl
