#pragma once

#include "reward/gpu/support_kernels.hpp"
#include "tests/unit/cuda/simulated_gpu.hpp"

#include <regex>
#include <sstream>
#include <string>

namespace atl::testing {

/// What the words of CUDA mean where a warp is one thread wide and a block has one thread.
inline constexpr const char* k_cuda_words = R"(
#include <math.h>
#pragma GCC optimize("O2")
#define __device__
#define __shared__ static
#define __grid_constant__
struct Index { unsigned x = 0, y = 0; };
Index threadIdx, blockIdx;  // one kernel runs at a time
Index gridDim;
constexpr Index blockDim{1, 1};
constexpr int warpSize = 1;
inline void __syncthreads() {}
template <class T> T __shfl_xor_sync(unsigned, T value, int) { return value; }
template <class T> void atomicAdd(T* at, T value) { *at += value; }
template <class T> void atomicMax(T* at, T value) { *at = *at > value ? *at : value; }
template <class T> void atomicOr(T* at, T value) { *at |= value; }
inline long long __double_as_longlong(double x) { return __builtin_bit_cast(long long, x); }
inline double __longlong_as_double(long long x) { return __builtin_bit_cast(double, x); }
inline unsigned __float_as_uint(float x) { return __builtin_bit_cast(unsigned, x); }
inline float __uint_as_float(unsigned x) { return __builtin_bit_cast(float, x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline float __fmaf_rn(float a, float b, float c) { return a * b + c; }
)";

/// One simulated kernel that runs `name`, of our source, for each block of its grid.
inline std::string simulated_kernel(const std::string& name, const std::string& parameters) {
    std::string types;
    std::string sizes;
    std::istringstream list(parameters);
    int number = 0;
    for (std::string one; std::getline(list, one, ','); ++number) {
        const std::string type = std::regex_replace(
            one, std::regex(R"(\s*(?:const __grid_constant__ )?(\w+)\s+\w+\s*)"), "$1");
        types += (number == 0 ? "" : ", ") + ("at<" + type + ">(parameters, ") +
                 std::to_string(number) + ")";
        sizes += "sizeof(" + type + "), ";
    }
    return "extern \"C\" { extern const unsigned " + name + "_sizes[]; const unsigned " + name +
           "_sizes[] = {" + sizes + "0}; }\nSIMULATED_KERNEL(" + name +
           ") {\n    gridDim = {grid[0], grid[1]};\n"
           "    for (unsigned i = 0; i < grid[0] * grid[1]; ++i) {\n"
           "        blockIdx = {i % grid[0], i / grid[0]};\n        device_" +
           name + "(" + types + ");\n    }\n    return 0;\n}\n";
}

/// Our own kernels for the simulated driver: the source that NVRTC gets, compiled for this machine.
inline std::string simulated_support_cubin() {
    const std::regex kernel(R"(extern "C" __global__ void (\w+)\(([^)]*)\))");
    const std::string source = support_kernel_source();
    std::string wrappers;
    for (std::sregex_iterator i(source.begin(), source.end(), kernel), end; i != end; ++i) {
        wrappers += simulated_kernel((*i)[1], (*i)[2]);
    }
    return simulated_cubin(
        k_cuda_words + std::regex_replace(source, kernel, "static void device_$1($2)") + wrappers);
}

}  // namespace atl::testing
