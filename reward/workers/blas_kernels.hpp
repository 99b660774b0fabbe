#pragma once

#include <string_view>

namespace atl {

/// What an x86-64 processor can do, as far as the choice of a library's kernels depends on it.
struct VectorUnits {
    bool intel = false;
    bool avx2 = false;
    bool avx512 = false;  ///< F, DQ, BW, VL and CD
};

/// Of the processor that this runs on; nothing on other architectures.
[[nodiscard]] VectorUnits vector_units();

/// The value of OPENBLAS_CORETYPE that makes OpenBLAS (0.3.13 and newer) use the widest vectors
/// there are; empty: its own choice is right.
///
/// OpenBLAS chooses kernels by the model number, and takes an Intel model that is newer than itself
/// for a processor of 2004 ("Prescott", SSE3): a baseline several times slower than what the
/// library can do, which flatters every candidate beside it. AMD models that it does not know are
/// chosen by their features already.
[[nodiscard]] std::string_view openblas_core(const VectorUnits& units);

/// Sets the variable for libraries that this process loads later, unless it is set already.
void choose_blas_kernels();

}  // namespace atl
