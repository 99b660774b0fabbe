#include "reward/cuda/split_words.hpp"

#include <algorithm>
#include <array>

namespace atl {

namespace {

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& list) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

void CudaSpecifiers::add(std::string_view word) {
    global = global || word == "__global__";
    device = device || word == "__device__";
    host = host || word == "__host__";
    memory = memory || word == "__shared__" || word == "__constant__" || word == "__managed__";
    constant = constant || word == "const" || word == "constexpr" || word == "consteval" ||
               word == "constinit";
}

void CudaSpecifiers::add(const CudaSpecifiers& other) {
    global = global || other.global;
    device = device || other.device;
    host = host || other.host;
    memory = memory || other.memory;
    constant = constant || other.constant;
}

bool takes_no_parameters(std::string_view word) {
    static constexpr std::array<std::string_view, 14> k_words{
        "__launch_bounds__", "__attribute__",  "alignas",           "__align__", "decltype",
        "noexcept",          "__declspec",     "explicit",          "requires",  "__cluster_dims__",
        "__maxnreg__",       "__block_size__", "__grid_constant__", "throw"};
    return is_one_of(word, k_words);
}

bool is_host_type(std::string_view word) {
    static constexpr std::array<std::string_view, 16> k_words{
        "vector", "string", "map",      "unordered_map", "set",        "unordered_set",
        "mutex",  "deque",  "function", "unique_ptr",    "shared_ptr", "once_flag",
        "thread", "FILE",   "ostream",  "ostringstream"};
    return is_one_of(word, k_words);
}

bool is_host_type_of_std(std::string_view word) {
    static constexpr std::array<std::string_view, 15> k_words{
        "any",          "atomic", "string_view",    "bitset", "chrono",
        "forward_list", "list",   "multimap",       "queue",  "mt19937",
        "optional",     "stack",  "priority_queue", "tuple",  "variant"};
    return is_one_of(word, k_words);
}

bool is_device_library(std::string_view word) {
    static constexpr std::array<std::string_view, 7> k_words{
        "cooperative_groups", "nvcuda", "cub", "cuda", "cute", "cutlass", "wmma"};
    return is_one_of(word, k_words);
}

bool is_cuda_header(std::string_view name) {
    static constexpr std::array<std::string_view, 20> k_beginnings{"cuda_",
                                                                   "cuda.h",
                                                                   "cudaTypedefs.h",
                                                                   "cuda/",
                                                                   "cub/",
                                                                   "cute/",
                                                                   "cutlass/",
                                                                   "nv/",
                                                                   "thrust/",
                                                                   "crt/",
                                                                   "sm_",
                                                                   "mma.h",
                                                                   "cooperative_groups",
                                                                   "device_launch_parameters.h",
                                                                   "driver_types.h",
                                                                   "vector_types.h",
                                                                   "vector_functions.h",
                                                                   "math_constants.h",
                                                                   "curand",
                                                                   "builtin_types.h"};
    return std::any_of(k_beginnings.begin(), k_beginnings.end(),
                       [&](std::string_view one) { return name.starts_with(one); });
}

bool is_host_header(std::string_view name) {
    static constexpr std::array<std::string_view, 25> k_names{"cuda_runtime.h",
                                                              "cuda_runtime_api.h",
                                                              "device_launch_parameters.h",
                                                              "driver_types.h",
                                                              "vector_types.h",
                                                              "vector_functions.h",
                                                              "builtin_types.h",
                                                              "cuda_device_runtime_api.h",
                                                              "assert.h",
                                                              "ctype.h",
                                                              "errno.h",
                                                              "float.h",
                                                              "inttypes.h",
                                                              "limits.h",
                                                              "math.h",
                                                              "stdbool.h",
                                                              "stddef.h",
                                                              "stdint.h",
                                                              "stdio.h",
                                                              "stdlib.h",
                                                              "string.h",
                                                              "time.h",
                                                              "unistd.h",
                                                              "memory.h",
                                                              "cuda_profiler_api.h"};
    return is_one_of(name, k_names) || name.find_first_of("./") == std::string_view::npos ||
           name.starts_with("torch/") || name.starts_with("ATen/") || name.starts_with("c10/");
}

bool is_plain_header(std::string_view name) {
    static constexpr std::array<std::string_view, 18> k_names{
        "cmath",  "math.h",  "cstdlib", "stdlib.h", "cstring", "string.h",
        "cstdio", "stdio.h", "cstdint", "stdint.h", "cstddef", "stddef.h",
        "cfloat", "float.h", "climits", "limits.h", "cassert", "assert.h"};
    return is_one_of(name, k_names);
}

bool is_light_header(std::string_view name) {
    return name == "cfloat" || name == "float.h" || name == "climits" || name == "limits.h";
}

bool has_tensor_maps(std::string_view header) {
    return header == "cuda.h" || header == "cudaTypedefs.h";
}

}  // namespace atl
