#include "reward/cuda/device_prelude.hpp"

#include "reward/cpp_lexer.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>

namespace atl {

namespace {

using Macro = std::pair<std::string_view, std::string_view>;

// ISO/IEC 9899 5.2.4.2 and 7.20 for LP64 with IEEE 754; the constants as POSIX names them.
constexpr std::array k_macros{
    Macro{"INFINITY", "__int_as_float(0x7f800000)"},
    Macro{"NAN", "__int_as_float(0x7fffffff)"},
    Macro{"HUGE_VALF", "__int_as_float(0x7f800000)"},
    Macro{"HUGE_VAL", "__longlong_as_double(0x7ff0000000000000ll)"},
    Macro{"FLT_MAX", "3.402823466e+38f"},
    Macro{"FLT_MIN", "1.175494351e-38f"},
    Macro{"FLT_EPSILON", "1.192092896e-07f"},
    Macro{"FLT_DIG", "6"},
    Macro{"FLT_MANT_DIG", "24"},
    Macro{"DBL_MAX", "1.7976931348623157e+308"},
    Macro{"DBL_MIN", "2.2250738585072014e-308"},
    Macro{"DBL_EPSILON", "2.2204460492503131e-16"},
    Macro{"DBL_DIG", "15"},
    Macro{"DBL_MANT_DIG", "53"},
    Macro{"CHAR_BIT", "8"},
    Macro{"SCHAR_MAX", "127"},
    Macro{"SCHAR_MIN", "(-128)"},
    Macro{"UCHAR_MAX", "255"},
    Macro{"SHRT_MAX", "32767"},
    Macro{"SHRT_MIN", "(-32768)"},
    Macro{"USHRT_MAX", "65535"},
    Macro{"INT_MAX", "2147483647"},
    Macro{"INT_MIN", "(-2147483647 - 1)"},
    Macro{"UINT_MAX", "4294967295u"},
    Macro{"LONG_MAX", "9223372036854775807l"},
    Macro{"LONG_MIN", "(-9223372036854775807l - 1)"},
    Macro{"ULONG_MAX", "18446744073709551615ul"},
    Macro{"LLONG_MAX", "9223372036854775807ll"},
    Macro{"LLONG_MIN", "(-9223372036854775807ll - 1)"},
    Macro{"ULLONG_MAX", "18446744073709551615ull"},
    Macro{"INT8_MAX", "127"},
    Macro{"INT8_MIN", "(-128)"},
    Macro{"UINT8_MAX", "255"},
    Macro{"INT16_MAX", "32767"},
    Macro{"INT16_MIN", "(-32768)"},
    Macro{"UINT16_MAX", "65535"},
    Macro{"INT32_MAX", "2147483647"},
    Macro{"INT32_MIN", "(-2147483647 - 1)"},
    Macro{"UINT32_MAX", "4294967295u"},
    Macro{"INT64_MAX", "9223372036854775807ll"},
    Macro{"INT64_MIN", "(-9223372036854775807ll - 1)"},
    Macro{"UINT64_MAX", "18446744073709551615ull"},
    Macro{"SIZE_MAX", "18446744073709551615ul"},
    Macro{"M_E", "2.71828182845904523536"},
    Macro{"M_LOG2E", "1.44269504088896340736"},
    Macro{"M_LOG10E", "0.43429448190325182765"},
    Macro{"M_LN2", "0.69314718055994530942"},
    Macro{"M_LN10", "2.30258509299404568402"},
    Macro{"M_PI", "3.14159265358979323846"},
    Macro{"M_PI_2", "1.57079632679489661923"},
    Macro{"M_PI_4", "0.78539816339744830962"},
    Macro{"M_1_PI", "0.31830988618379067154"},
    Macro{"M_2_PI", "0.63661977236758134308"},
    Macro{"M_2_SQRTPI", "1.12837916709551257390"},
    Macro{"M_SQRT2", "1.41421356237309504880"},
    Macro{"M_SQRT1_2", "0.70710678118654752440"},
};

// CCCL declares the same under NVRTC (cuda/std/cstdint), so that both may be there.
constexpr std::string_view k_types =
    "typedef signed char int8_t;\n"
    "typedef signed short int16_t;\n"
    "typedef signed int int32_t;\n"
    "typedef signed long long int64_t;\n"
    "typedef unsigned char uint8_t;\n"
    "typedef unsigned short uint16_t;\n"
    "typedef unsigned int uint32_t;\n"
    "typedef unsigned long long uint64_t;\n"
    "typedef signed long long intptr_t;\n"
    "typedef unsigned long long uintptr_t;\n"
    "typedef unsigned int uint;\n"
    "typedef unsigned short ushort;\n"
    "typedef unsigned long ulong;\n";

// The driver's header declares host functions, which NVRTC refuses; kernels take this of it. As in
// cuda.h, for the same mangled names.
constexpr const char* k_driver_types =
    "#pragma once\n"
    "typedef struct CUtensorMap_st { alignas(128) unsigned long long opaque[16]; } CUtensorMap;\n";

constexpr std::string_view k_std =
#include "reward/cuda/device_std.inc"
    ;

// The original declares algorithms for the whole device, which are host code, too. All that there
// is for threads, warps and blocks.
constexpr std::array k_cub_headers{"block/block_adjacent_difference.cuh",
                                   "block/block_discontinuity.cuh",
                                   "block/block_exchange.cuh",
                                   "block/block_histogram.cuh",
                                   "block/block_load.cuh",
                                   "block/block_merge_sort.cuh",
                                   "block/block_radix_rank.cuh",
                                   "block/block_radix_sort.cuh",
                                   "block/block_raking_layout.cuh",
                                   "block/block_reduce.cuh",
                                   "block/block_run_length_decode.cuh",
                                   "block/block_scan.cuh",
                                   "block/block_shuffle.cuh",
                                   "block/block_store.cuh",
                                   "grid/grid_even_share.cuh",
                                   "grid/grid_mapping.cuh",
                                   "iterator/arg_index_input_iterator.cuh",
                                   "iterator/cache_modified_input_iterator.cuh",
                                   "iterator/cache_modified_output_iterator.cuh",
                                   "thread/thread_load.cuh",
                                   "thread/thread_operators.cuh",
                                   "thread/thread_reduce.cuh",
                                   "thread/thread_scan.cuh",
                                   "thread/thread_search.cuh",
                                   "thread/thread_sort.cuh",
                                   "thread/thread_store.cuh",
                                   "util_math.cuh",
                                   "util_ptx.cuh",
                                   "util_type.cuh",
                                   "warp/warp_exchange.cuh",
                                   "warp/warp_load.cuh",
                                   "warp/warp_merge_sort.cuh",
                                   "warp/warp_reduce.cuh",
                                   "warp/warp_scan.cuh",
                                   "warp/warp_store.cuh"};

std::string make_cub() {
    std::string text = "#pragma once\n";
    for (const std::string name : k_cub_headers) {
        text += "#if __has_include(<cub/" + name + ">)\n#include <cub/" + name + ">\n#endif\n";
    }
    return text;
}

/// Whether a source names the standard library's namespace, not CCCL's (cuda::std).
bool names_std(std::string_view source) {
    std::string last;
    std::string last_but_one;
    CppLexer lexer(source);
    while (std::optional<CppToken> token = lexer.next()) {
        if (token->kind == CppToken::Kind::comment) {
            continue;
        }
        if (token->text == "std" && !(last == "::" && last_but_one == "cuda")) {
            return true;
        }
        last_but_one = std::exchange(last, std::move(token->text));
    }
    return false;
}

std::string make_prelude() {
    std::string text;
    for (const auto& [name, value] : k_macros) {
        text.append("#ifndef ").append(name).append("\n#define ").append(name).append(" ");
        text.append(value).append("\n#endif\n");
    }
    return text.append(k_types);
}

}  // namespace

std::string_view device_prelude() {
    static const std::string text = make_prelude();
    return text;
}

std::string_view device_std() {
    return k_std;
}

std::string with_device_prelude(std::string_view source,
                                const std::map<std::string, std::string>& defines) {
    std::string text(device_prelude());
    text.append(names_std(source) ? k_std : std::string_view());
    for (const auto& [name, value] : defines) {
        text.append("#define ").append(name).append(" ").append(value).append("\n");
    }
    return text.append("#line 1 \"").append(k_device_source_name).append("\"\n").append(source);
}

const std::vector<NvrtcHeader>& host_headers() {
    static const std::vector<NvrtcHeader> headers = [] {
        std::vector<NvrtcHeader> blank;
        for (const char* name :
             {"assert.h", "cassert", "cctype", "cfloat", "chrono", "climits", "cmath", "complex",
              "complex.h", "cstddef", "cstdint", "cstdio", "cstdlib", "cstring", "ctime", "errno.h",
              "exception", "float.h", "fstream", "functional", "inttypes.h", "iomanip", "iostream",
              "iterator", "limits", "limits.h", "map", "math.h", "memory", "mutex", "numeric",
              "optional", "ostream", "random", "set", "sstream", "stdexcept", "stdbool.h",
              "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string", "string.h", "string_view",
              "thread", "time.h", "tuple", "type_traits", "unordered_map", "utility", "vector",
              "algorithm", "array", "cinttypes", "initializer_list",
              // Of Thrust, what only a host could use.
              "thrust/device_ptr.h", "thrust/device_vector.h", "thrust/execution_policy.h",
              "thrust/host_vector.h"}) {
            blank.push_back({name, "\n"});
        }
        blank.push_back({"cuda.h", k_driver_types});
        blank.push_back({"cudaTypedefs.h", "#include <cuda.h>\n"});
        blank.push_back({"cub/cub.cuh", make_cub()});
        return blank;
    }();
    return headers;
}

}  // namespace atl
