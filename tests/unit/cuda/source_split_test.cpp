#include "reward/cuda/source_split.hpp"

#include "reward/cuda/split_macros.hpp"
#include "tests/support/skip_or_fail.hpp"
#include "tests/unit/cuda/nvrtc_for_tests.hpp"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <algorithm>
#include <chrono>

namespace atl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::size_t lines_of(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

std::string device_of(const std::string& source) {
    return split_cuda_source(source).device;
}

std::string host_of(const std::string& source) {
    return split_cuda_source(source).host;
}

constexpr const char* k_everything = R"cu(// A launcher with <<< in a comment.
#include <cstdio>
#include <vector>
#include <cuda_runtime.h>
#include <cuda_fp16.h>
#include "cuda.h"
#ifndef BLOCK
#define BLOCK 256  // tune: 128, 256
#endif
#define CHECK(call)                                  \
    do {                                             \
        if ((call) != cudaSuccess) printf("%s\n", #call); \
    } while (0)
#define DEVICE __device__ __forceinline__
#define DEFINE_ADD(T) \
    __global__ void add_##T(T* x) { x[0] += 1; }

using namespace std;
constexpr int k_lanes = 32;
static const float k_scale = 0.5f;
static int calls = 0;
std::vector<int> history{1, 2, 3};
cudaStream_t other = nullptr;
const char* k_text = R"(void f() { " })";

constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }
__host__ __device__ inline int twice(int a) { return 2 * a; }
DEVICE float reduce(float v) {
    for (int o = k_lanes / 2; o > 0; o /= 2) v += __shfl_xor_sync(~0u, v, o);
    return v;
}
struct Pair {
    float* data;
    int n = 0;
    __host__ __device__ Pair(float* d, int m) : data{d}, n(m) {}
    __device__ float operator()(int i) const { return data[i]; }
    int host_only() const { CHECK(cudaGetLastError()); return n; }
};
struct Log {
    std::vector<int> lines;
    void add(int a) { lines.push_back(a); }
};
__constant__ float table[4];
static __device__ int counter;
DEFINE_ADD(float)
template <int B, class F>
__global__ void __launch_bounds__(B) apply(const Pair p, F f, float* y, int n) {
    extern __shared__ float s[];
    asm volatile("bar.sync 0;");
    const int i = blockIdx.x * B + threadIdx.x;
#pragma unroll
    for (int k = 0; k < 2; ++k) s[threadIdx.x] = k;
    if (i < n) y[i] = reduce(f(p(i)) * k_scale + table[0]) + twice(1) + ceil_div(3, 2);
}
namespace {
__global__ void hidden(float* y) { y[0] = 1; }
template <class T>
void helper(T* y, cudaStream_t stream) {
#pragma unroll
    for (int i = 0; i < 2; ++i) hidden<<<1, 1, 0, stream>>>(y);
}
}  // namespace
struct Half { __device__ float operator()(float v) const { return __half2float(__float2half(v)); } };
extern "C" void other_launch(int);
#ifdef NEVER
void launch(const float* x, float* y) {
#else
void launch(const float* x, float* y, int n, cudaStream_t stream) {
#endif
    auto grid = [&](int b) { return (n + b - 1) / b; };
    apply<BLOCK><<<grid(BLOCK), BLOCK, BLOCK * sizeof(float), stream>>>(
        Pair((float*)x, n), Half{}, y, n);
    add_float<<<1, 1>>>(y);
    helper(y, stream);
    history.push_back(++calls);
}
)cu";

TEST(SourceSplit, NvrtcTakesTheDeviceHalfOfAllThatIsUsual) {
    auto nvrtc = testing::TestNvrtc::find();
    if (!nvrtc) {
        ATOLL_SKIP_OR_FAIL("NVRTC is not installed");
    }
    EXPECT_EQ(nvrtc->compile(device_of(k_everything)), "") << device_of(k_everything);
}

TEST(SourceSplit, EveryLineStaysWhereItWas) {
    const SplitSource split = split_cuda_source(k_everything);
    EXPECT_EQ(lines_of(split.device), lines_of(k_everything));
    EXPECT_EQ(lines_of(split.host), lines_of(k_everything));
    // Bytes are left or blanked, but for the line of cuda.h.
    const std::string source(k_everything);
    const std::size_t written_out = source.find("DEFINE_ADD(float)");
    for (std::size_t i = 0; i < written_out; ++i) {
        ASSERT_TRUE(split.host[i] == source[i] || split.host[i] == ' ') << i;
    }
    const std::size_t rest = source.size() - source.find('\n', written_out);
    ASSERT_GT(split.host.size(), source.size()) << "a macro that defines a kernel";
    for (std::size_t i = 1; i < rest; ++i) {
        const char host = split.host[split.host.size() - i];
        ASSERT_TRUE(host == source[source.size() - i] || host == ' ') << i;
    }
}

TEST(SourceSplit, TheDevicePartIsUnchanged) {
    const std::string device = device_of(k_everything);
    for (const std::string part : {
             "for (int o = k_lanes / 2; o > 0; o /= 2) v += __shfl_xor_sync(~0u, v, o);",
             "__global__ void __launch_bounds__(B) apply(const Pair p, F f, float* y, int n) {",
             "    asm volatile(\"bar.sync 0;\");\n",
             "constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }",
             "__host__ __device__ Pair(float* d, int m) : data{d}, n(m) {}",
             "#define BLOCK 256  // tune: 128, 256",
         }) {
        EXPECT_THAT(device, HasSubstr(part));
    }
    EXPECT_THAT(device, Not(HasSubstr("<<<grid")));
    EXPECT_THAT(device, Not(HasSubstr("history")));
}

TEST(SourceSplit, TheHostPartHasSignaturesOfKernelsAndNoDeviceCode) {
    const std::string host = host_of(k_everything);
    EXPECT_THAT(host, HasSubstr("apply(const Pair p, F f, float* y, int n) {"));
    EXPECT_THAT(host, HasSubstr("apply<BLOCK><<<grid(BLOCK), BLOCK, BLOCK * sizeof(float)"));
    EXPECT_THAT(host, Not(HasSubstr("bar.sync")));
    EXPECT_THAT(host, Not(HasSubstr("__half2float")));
    EXPECT_THAT(host, Not(HasSubstr("__shfl_xor_sync")));
    EXPECT_THAT(host, Not(HasSubstr("cuda_fp16.h")));
    EXPECT_THAT(host, HasSubstr("#include <vector>"));
}

TEST(SourceSplit, ADeviceFunctionThatHostCodeNamesKeepsItsSignature) {
    const std::string source =
        "__device__ float relu(float v) { return fmaxf(v, 0); }\n"
        "__device__ float tanh2(float v) { return __tanhf(v); }\n"
        "template <float (*F)(float)> __global__ void k(float* x) { *x = F(*x); }\n"
        "void launch(float* x) { k<relu><<<1, 1>>>(x); }\n";
    EXPECT_THAT(host_of(source), HasSubstr("__device__ float relu(float v) {"));
    EXPECT_THAT(host_of(source), Not(HasSubstr("fmaxf")));
    EXPECT_THAT(host_of(source), Not(HasSubstr("tanh2")));
    EXPECT_THAT(device_of(source), HasSubstr("return fmaxf(v, 0);"));
}

TEST(SourceSplit, WhatAMacroDefinesIsSplitAsIfItStoodThere) {
    const SplitSource split = split_cuda_source(
        "#define ROW_KERNEL(NAME, T, ...) \\\n"
        "    template <int B> __global__ void NAME##_kernel(const T* x, T* y) { /* rows */ \\\n"
        "        y[0] = __shfl_xor_sync(~0u, x[0], B) + device_only(#NAME, __VA_ARGS__); } \\\n"
        "    inline void NAME(const T* x, T* y) { NAME##_kernel<1><<<1, 32>>>(x, y); }\n"
        "#define FLOAT_KERNEL(NAME) ROW_KERNEL(NAME, float, 1, (2, 3))\n"
        "#define EACH(WHAT) WHAT(a) WHAT(b)\n"
        "FLOAT_KERNEL(\n  sum\n)\n"
        "EACH(FLOAT_KERNEL);\n"
        "int last;\n");
    EXPECT_EQ(lines_of(split.device), 11u);
    EXPECT_EQ(lines_of(split.host), 11u);
    for (const std::string name : {"sum", "a", "b"}) {
        const std::string kernel = "void " + name + "_kernel(const float * x, float * y) {";
        EXPECT_THAT(split.host, HasSubstr(kernel));
        EXPECT_THAT(split.host, HasSubstr(name + "_kernel<1><<<1, 32>>>(x, y);"));
        EXPECT_THAT(split.device, HasSubstr(kernel));
        EXPECT_THAT(split.device, HasSubstr("device_only(\"" + name + "\", 1, (2, 3) );"));
    }
    const std::string host_code = split.host.substr(split.host.find("sum_kernel"));
    EXPECT_THAT(host_code, Not(HasSubstr("__shfl_xor_sync")));
    const std::string device_code = split.device.substr(split.device.find("sum_kernel"));
    EXPECT_THAT(device_code, Not(HasSubstr("<<<")));
    EXPECT_TRUE(split.host.ends_with("int last;\n"));
}

TEST(SourceSplit, MacrosThatCannotBeToldAreLeftToTheCompilers) {
    const std::string kernel = "__global__ void NAME(float* x) { x[0] = 1; }\n";
    for (const std::string& text :
         {"#define K(NAME) " + kernel + "#undef K\n#define K(NAME) " + kernel + "K(a)\n",
          "#define K(NAME) " + kernel + "K(a, b)\n",
          "#define K(NAME) " + kernel + "K(a\n#if 1\n)\n#endif\n",
          "#define K(NAME, ...) __VA_OPT__() " + kernel + "K(a)\n",
          std::string("#define K(x) K(x) {}\nK(\n#if 1\n1\n#endif\n)\n")}) {
        EXPECT_EQ(split_cuda_source(text).device, text);
    }
    // Until where it is undefined it can be told.
    EXPECT_THAT(device_of("#define K(NAME) " + kernel + "K(a) K(b)\n#undef K\n"),
                AllOf(HasSubstr("void a ("), HasSubstr("void b (")));
    // Not without end, nor without measure.
    EXPECT_EQ(lines_of(device_of("#define K(x) {} K(x) K(x)\nK(1)\n")), 2u);
    std::string doubling = "#define K0(x) void x() {}\n";
    for (int i = 1; i < 40; ++i) {
        const std::string before = "K" + std::to_string(i - 1);
        doubling += "#define K" + std::to_string(i) + "(x) ";
        for (int k = 0; k < 4; ++k) {
            doubling += before + "(x) ";
        }
        doubling += "\n";
    }
    EXPECT_LE(device_of(doubling + "K39(a)\n").size(), 256u << 10);
}

TEST(SourceSplit, ALongMacroIsNotWrittenOutBeyondItsLimit) {
    std::string definition = "(a) ";
    for (int i = 0; i < 1000; ++i) {
        definition += "a ";
    }
    const std::string use = "(" + std::string(10'000, 'x') + ")";
    const auto tokens_of = [](const std::string& text) {
        std::vector<CppToken> tokens;
        CppLexer lexer(text);
        while (std::optional<CppToken> token = lexer.next()) {
            tokens.push_back(std::move(*token));
        }
        return tokens;
    };
    const std::vector<CppToken> defined = tokens_of(definition);
    const std::vector<CppToken> used = tokens_of(use);
    EXPECT_LT(write_out(defined, used, 50'000)->size(), 70'000u);
    EXPECT_GT(write_out(defined, used, 100'000'000)->size(), 10'000'000u);
}

TEST(SourceSplit, HostStructsWithTypesOfStdAreTheHosts) {
    for (const std::string type : {"std::optional<int>", "std::tuple<int, int>", "std::atomic<int>",
                                   "std::string_view", "std::vector<int>"}) {
        EXPECT_THAT(device_of("struct Config {\n    " + type + " held;\n};\nint last;\n"),
                    Not(HasSubstr("held")))
            << type;
    }
}

TEST(SourceSplit, FileScopeObjectsOfTheStandardLibraryAreTheHosts) {
    const SplitSource split = split_cuda_source(
        "static const std::array<int, 2> sizes{1, 2};\n"
        "constexpr std::array<int, 2> both{3, 4};\n"
        "const std::tuple<int, int> two{5, 6};\n"
        "__constant__ cuda::std::array<int, 2> table;\n"
        "const cuda::std::tuple<int> mine{7};\n"
        "const int array = 8;\n");
    EXPECT_THAT(split.device, Not(HasSubstr("sizes")));
    EXPECT_THAT(split.device, HasSubstr("both{3, 4};"));
    EXPECT_THAT(split.device, Not(HasSubstr("two")));
    EXPECT_THAT(split.device, HasSubstr("> table;"));
    EXPECT_THAT(split.device, HasSubstr("mine{7};"));
    EXPECT_THAT(split.device, HasSubstr("array = 8;"));
    EXPECT_THAT(split.host, HasSubstr("sizes{1, 2};"));
    EXPECT_THAT(split.host, HasSubstr("two{5, 6};"));
}

TEST(SourceSplit, ADeviceFunctionInATableOfTheDeviceKeepsItsSignature) {
    const SplitSource split = split_cuda_source(
        "__device__ float once(float v) { return v; }\n"
        "__device__ float unused(float v) { return v; }\n"
        "__device__ float (*steps[])(float) = {once};\n");
    EXPECT_THAT(split.host, HasSubstr("float once(float v) {"));
    EXPECT_THAT(split.host, HasSubstr("{once}"));
    EXPECT_THAT(split.host, Not(HasSubstr("unused")));
}

TEST(SourceSplit, NamesOfDeviceLibrariesLeaveTheHostHalfUnlessItUsesThem) {
    const std::string source =
        "namespace cg = cooperative_groups;\n"
        "using Fragment = nvcuda::wmma::fragment<int>;\n"
        "struct Tile { cg::thread_block_tile<32> group; };\n"
        "struct Arguments { float* x; };\n"
        "__global__ void k(Arguments a) {}\n";
    EXPECT_THAT(host_of(source), Not(HasSubstr("fragment")));
    EXPECT_THAT(host_of(source), Not(HasSubstr("thread_block_tile")));
    EXPECT_THAT(host_of(source), HasSubstr("struct Arguments { float* x; };"));
}

TEST(SourceSplit, HeadersOfCLeaveTheHostHalfWhenThereAreNoOthers) {
    const SplitSource plain = split_cuda_source("#include <cmath>\n#include <float.h>\nint a;\n");
    EXPECT_FALSE(plain.host_headers);
    EXPECT_EQ(plain.host, "                \n#include <float.h>\nint a;\n");
    const SplitSource larger = split_cuda_source("#include <cmath>\n#include <vector>\nint a;\n");
    EXPECT_TRUE(larger.host_headers);
    EXPECT_THAT(larger.host, HasSubstr("#include <cmath>"));
}

TEST(SourceSplit, HostileTextGivesTextOfTheSameLinesInLittleTime) {
    const auto repeated = [](const std::string& text, int times) {
        std::string all;
        for (int i = 0; i < times; ++i) {
            all += text;
        }
        return all;
    };
    const auto start = std::chrono::steady_clock::now();
    for (const std::string& source :
         {repeated("namespace a{", 50'000), repeated("(", 100'000), repeated("struct a{", 50'000),
          repeated("template<", 50'000), repeated("#if 1\n{\n", 20'000), repeated("}", 100'000),
          repeated("void f(){}\n", 20'000), repeated("__device__ void f(){} ", 20'000),
          repeated("#define f(x\nf(", 5000), std::string("struct"), std::string("template<"),
          repeated("#if 1\nvoid f(){\n#else\n", 10'000)}) {
        EXPECT_EQ(lines_of(device_of(source)), lines_of(source));
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST(SourceSplit, AnyTokensInAnyOrderKeepTheirLines) {
    const std::vector<std::string> words{"__global__ ",
                                         "__device__ ",
                                         "__host__ ",
                                         "void ",
                                         "f",
                                         "(",
                                         ")",
                                         "{",
                                         "}",
                                         ";",
                                         "\n",
                                         "template",
                                         "<",
                                         ">",
                                         "struct ",
                                         "namespace ",
                                         "=",
                                         ":",
                                         "::",
                                         "static ",
                                         "constexpr ",
                                         "\n#if X\n",
                                         "\n#else\n",
                                         "\n#endif\n",
                                         "\n#define M(x) __global__\n",
                                         "M",
                                         "using ",
                                         "operator",
                                         "\"s\"",
                                         "R\"(\n)\"",
                                         "// c\n",
                                         "/* \n */",
                                         "extern ",
                                         "\n#include <cuda.h>\n"};
    EXPECT_TRUE(rc::check([&] {
        std::string source;
        for (const std::size_t i : *rc::gen::container<std::vector<std::size_t>>(
                 rc::gen::inRange<std::size_t>(0, words.size()))) {
            source += words[i];
        }
        const SplitSource split = split_cuda_source(source);
        RC_ASSERT(lines_of(split.device) == lines_of(source));
        RC_ASSERT(split.host.size() == source.size());
    }));
}

}  // namespace
}  // namespace atl
