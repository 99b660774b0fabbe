#pragma once

#include <string>
#include <vector>

namespace atl {

/// Where CUDA is looked for, in this order; the first part that can be used is taken.
struct CudaPlaces {
    /// Files of libcuda, or names for the dynamic linker.
    std::vector<std::string> drivers;
    /// Folders in which CUDA is installed, as a toolkit or as Python packages. Empty: what the
    /// dynamic linker finds.
    std::vector<std::string> homes;
    /// A clone of CUTLASS, an installation, or its folder of headers; empty: none. Nothing else is
    /// looked at.
    std::string cutlass;
};

/// $ATOLL_CUDA_HOME alone if it is set. Else $CUDA_HOME, $CUDA_PATH, what the dynamic linker finds,
/// /usr/local/cuda, /usr/local/cuda-* (the newest first), and the packages that pip installed for
/// the python3 in $PATH. The driver is the dynamic linker's, or where containers have it. CUTLASS
/// is $ATOLL_CUTLASS.
[[nodiscard]] CudaPlaces usual_cuda_places();

}  // namespace atl
