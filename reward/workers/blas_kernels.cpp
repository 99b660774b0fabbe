#include "reward/workers/blas_kernels.hpp"

#include <cstdlib>
#include <string>

namespace atl {

VectorUnits vector_units() {
    VectorUnits units;
#if defined(__x86_64__)
    __builtin_cpu_init();
    units.intel = __builtin_cpu_is("intel") != 0;
    units.avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
    units.avx512 =
        __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
        __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
        __builtin_cpu_supports("avx512cd") != 0;
#endif
    return units;
}

std::string_view openblas_core(const VectorUnits& units) {
    if (!units.intel) {
        return "";
    }
    return units.avx512 ? "SkylakeX" : units.avx2 ? "Haswell" : "";
}

void choose_blas_kernels() {
    const std::string core(openblas_core(vector_units()));
    if (!core.empty()) {
        (void)::setenv("OPENBLAS_CORETYPE", core.c_str(), 0);
    }
}

}  // namespace atl
