#include "reward/cuda/device_prelude.hpp"

#include "tests/unit/cuda/nvrtc_fixture.hpp"

namespace atl {
namespace {

using testing::NvrtcTest;

class DevicePreludeTest : public NvrtcTest {
  protected:
    [[nodiscard]] NvrtcOutput compile(
        const std::string& source, const std::map<std::string, std::string>& defines = {}) const {
        NvrtcInput input;
        input.source = with_device_prelude(source, defines);
        input.name = k_device_source_name;
        input.headers = host_headers();
        input.options = {"--gpu-architecture=sm_90a",
                         "--std=c++17",
                         "-I" + place().include,
                         "-I" + place().include + "/cccl",
                         "--modify-stack-limit=false",
                         "--disable-warnings",
                         "--device-as-default-execution-space"};
        Expected<NvrtcOutput> output = library().compile(input);
        if (!output) {
            throw std::runtime_error(output.error().message());
        }
        return *output;
    }
};

TEST_F(DevicePreludeTest, GivesWhatOrdinaryKernelsExpectOfTheHost) {
    const NvrtcOutput output = compile(
        "#include <cuda_runtime.h>\n#include <cfloat>\n#include <math.h>\n#include <stdint.h>\n"
        "#include <vector>\n"
        "__global__ void k(float* a, int64_t n, uint8_t* b) {\n"
        "    float best = -FLT_MAX, least = INFINITY;\n"
        "    for (uint i = 0; i < n; i++) best = fmaxf(best, fminf(least, a[i]));\n"
        "    a[0] = best * M_PI; b[0] = UINT8_MAX;\n"
        "    static_assert(sizeof(int64_t) == 8 && sizeof(uintptr_t) == 8, \"\");\n"
        "    static_assert(INT_MIN < 0 && INT64_MIN < 0 && LONG_MIN < 0, \"\");\n"
        "    assert(isinf(INFINITY) && isnan(NAN) && isinf(HUGE_VAL));\n"
        "}\n");
    EXPECT_TRUE(output.ok) << output.log;
}

TEST_F(DevicePreludeTest, LivesWithTheHeadersThatDefineTheSame) {
    for (const char* header : {"cuda/std/cstdint", "cuda/std/climits", "cuda/std/cfloat",
                               "cuda_pipeline.h", "math_constants.h"}) {
        const NvrtcOutput output = compile("#include <" + std::string(header) +
                                           ">\n__global__ void k(int64_t* a) { a[0] = 1; }\n");
        EXPECT_TRUE(output.ok) << header << "\n" << output.log;
    }
    EXPECT_TRUE(compile("#define M_PI 3\ntypedef unsigned int uint;\n__global__ void k() {}").ok);
}

TEST_F(DevicePreludeTest, HasTensorMapsWithoutTheDriversHostFunctions) {
    const NvrtcOutput output = compile(
        "#include <cuda.h>\n#include <cudaTypedefs.h>\n#include <cuda/barrier>\n"
        "__global__ void k(const __grid_constant__ CUtensorMap map) {\n"
        "    static_assert(sizeof(map) == 128 && alignof(CUtensorMap) == 128, \"\");\n}\n");
    EXPECT_TRUE(output.ok) << output.log;
    EXPECT_NE(output.cubin.find("_Z1k14CUtensorMap_st"), std::string::npos);
}

TEST_F(DevicePreludeTest, HasAllOfCubForBlocksAndWarps) {
    const NvrtcOutput output = compile(
        "#include <cub/cub.cuh>\n#include <thrust/device_ptr.h>\n"
        "__global__ void k(float* x, int* keys) {\n"
        "    using Reduce = cub::BlockReduce<float, 128>;\n"
        "    using Scan = cub::WarpScan<float>;\n"
        "    using Sort = cub::BlockRadixSort<int, 128, 1>;\n"
        "    using Histogram = cub::BlockHistogram<unsigned char, 128, 1, 256>;\n"
        "    __shared__ typename Reduce::TempStorage reduce;\n"
        "    __shared__ typename Scan::TempStorage scan[4];\n"
        "    __shared__ typename Sort::TempStorage sort;\n"
        "    __shared__ typename Histogram::TempStorage histogram;\n"
        "    __shared__ unsigned bins[256];\n"
        "    int mine[1] = {keys[threadIdx.x]};\n"
        "    unsigned char bytes[1] = {(unsigned char)mine[0]};\n"
        "    Sort(sort).Sort(mine);\n"
        "    Histogram(histogram).Histogram(bytes, bins);\n"
        "    float sum = cub::ThreadLoad<cub::LOAD_CG>(x + threadIdx.x), before;\n"
        "    Scan(scan[threadIdx.x / 32]).ExclusiveSum(sum, before);\n"
        "    x[threadIdx.x] = Reduce(reduce).Sum(before) + bins[threadIdx.x];\n"
        "    keys[threadIdx.x] = mine[0];\n"
        "}\n");
    EXPECT_TRUE(output.ok) << output.log;
}

// Types, traits and mathematics are what nvcc takes; the rest what it takes with
// --expt-relaxed-constexpr.
constexpr const char* k_uses_of_std = R"cu(
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
enum class Mode : short { plain };
struct Pair { int a; };
template <class T, std::enable_if_t<std::is_floating_point_v<T>, int> = 0>
__device__ T half_of(T v) { return v / 2; }
template <std::size_t... I>
__device__ int sum(std::index_sequence<I...>) { return (int(I) + ... + 0); }
constexpr int top(int a) { return std::max(a, 3); }
static_assert(std::is_same_v<decltype(std::sqrt(1.f)), float>);
static_assert(std::is_same_v<decltype(std::sqrt(1.0)), double>);
static_assert(std::is_same_v<decltype(std::pow(1.f, 2.f)), float>);
static_assert(std::is_same_v<decltype(std::abs(1.f)), float>);
static_assert(std::is_same_v<std::decay_t<const int (&)[3]>, const int*>);
static_assert(std::is_same_v<std::common_type_t<float, int>, float>);
static_assert(std::is_same_v<std::underlying_type_t<Mode>, short> && std::is_enum_v<Mode>);
static_assert(std::is_same_v<std::make_unsigned_t<int>, unsigned>);
static_assert(std::is_same_v<std::invoke_result_t<float (*)(int), int>, float>);
static_assert(std::is_same_v<std::remove_cvref_t<const int&>, int>);
static_assert(std::is_function<void(int)>::value && !std::is_function<int>::value);
static_assert(std::is_convertible_v<int, float> && !std::is_convertible_v<Pair, float>);
static_assert(std::is_signed_v<int> && !std::is_signed_v<std::uint32_t>);
static_assert(!std::is_unsigned_v<float> && std::is_trivially_copyable_v<Pair>);
static_assert(std::numeric_limits<int>::min() == -2147483647 - 1);
static_assert(std::numeric_limits<unsigned char>::max() == 255);
static_assert(std::numeric_limits<std::int64_t>::max() == 9223372036854775807ll);
static_assert(std::numeric_limits<signed char>::digits == 7);
static_assert(std::numeric_limits<float>::lowest() == -std::numeric_limits<float>::max());
static_assert(std::numeric_limits<double>::infinity() > std::numeric_limits<double>::max());
template <class T>
__global__ void k(T* y, std::int64_t n, double d) {
    constexpr std::array<int, 3> numbers{1, 2, 3};
    static_assert(numbers.size() == 3 && numbers[1] == 2);
    float m = std::fmax(-std::numeric_limits<float>::infinity(), y[0]);
    if constexpr (std::is_same<T, float>::value) m += std::exp(std::fabs(y[0])) + std::log1p(d);
    if (std::isnan(m) || std::isinf(d) || std::signbit(m)) m = 0;
    std::conditional_t<true, float, int> b = half_of(m);
    std::swap(m, b);
    y[n] = std::min(m, b) + sum(std::make_index_sequence<4>{}) + top(4) + std::clamp(m, 0.f, b);
    y[1] = std::integral_constant<int, 4>::value + std::bool_constant<true>{};
}
template __global__ void k<float>(float*, std::int64_t, double);
)cu";

TEST_F(DevicePreludeTest, HasNamespaceStdForSourcesThatNameIt) {
    for (const char* headers : {"", "#include <cuda/std/tuple>\n#include <cuda_fp16.h>\n"}) {
        const NvrtcOutput output = compile(headers + std::string(k_uses_of_std));
        EXPECT_TRUE(output.ok) << output.log;
    }
    EXPECT_NE(with_device_prelude("std::size_t a;", {}).find(device_std()), std::string::npos);
    EXPECT_EQ(with_device_prelude("cuda::std::array<int, 1> a;  // std::\n", {}).find(device_std()),
              std::string::npos)
        << "nobody pays for it who does not use it";
}

TEST_F(DevicePreludeTest, KeepsTheNumbersOfTheUsersLines) {
    const NvrtcOutput output =
        compile("\n__global__ void k(float* a) {\n  a[BLOCK] = nobody;\n}\n", {{"BLOCK", "4"}});
    EXPECT_FALSE(output.ok);
    EXPECT_TRUE(output.log.starts_with("candidate.cu(3): error")) << output.log;
}

TEST_F(DevicePreludeTest, DefinesComeFirst) {
    EXPECT_TRUE(compile("#ifndef BLOCK\n#error not defined\n#endif\n"
                        "static_assert(BLOCK == 128, \"\");\n__global__ void k() {}\n",
                        {{"BLOCK", "128"}})
                    .ok);
}

}  // namespace
}  // namespace atl
