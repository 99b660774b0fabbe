#include "reward/cuda/cubin_facts.hpp"

#include "reward/base/rng.hpp"
#include "tests/unit/cuda/nvrtc_fixture.hpp"

#include <elf.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <optional>
#include <regex>
#include <sstream>

namespace atl {
namespace {

using ::testing::HasSubstr;
using testing::NvrtcTest;

/// A device function that is not inlined, parameters with a gap, shared memory, bounds, spills.
constexpr const char* k_kernels = R"(
struct Shape { int sizes[5]; char order; };
__device__ __noinline__ float square(float x) { return x * x + 1; }
extern "C" __global__ void __launch_bounds__(256) mirror(float* a, Shape s, double d) {
    __shared__ float t[100];
    t[threadIdx.x] = a[threadIdx.x];
    __syncthreads();
    a[threadIdx.x] = t[99 - threadIdx.x] + s.sizes[threadIdx.x % 5] + d + square(a[3]);
}
extern "C" __global__ void __launch_bounds__(1024, 2) spill(float* a, int n) {
    float r[200];
    for (int i = 0; i < 200; i++) r[i] = a[i * n];
    for (int j = 0; j < n; j++)
        for (int i = 0; i < 200; i++) r[i] = r[i] * r[(i + 1) % 200] + a[j];
    for (int i = 0; i < 200; i++) a[i] = r[i];
}
template <int N> __global__ void nothing() {}
template __global__ void nothing<3>();
)";

class CubinFactsTest : public NvrtcTest {
  protected:
    void SetUp() override {
        NvrtcTest::SetUp();
        if (!IsSkipped()) {
            m_output = compile_here(k_kernels, "sm_90a");
        }
    }
    NvrtcOutput m_output;
};

bool keeps_state_of(const NvrtcOutput& output) {
    return keeps_state(output.cubin, output.touches_variables);
}

const KernelFacts& find(const std::vector<KernelFacts>& kernels, const std::string& name) {
    const auto found = std::find_if(kernels.begin(), kernels.end(),
                                    [&](const KernelFacts& kernel) { return kernel.name == name; });
    if (found == kernels.end()) {
        throw std::runtime_error("no kernel " + name);
    }
    return *found;
}

struct Said {
    std::uint32_t registers = 0, shared = 0, frame = 0;
    std::optional<std::uint32_t> barriers;  ///< since CUDA 12.8
};

/// What ptxas says of each kernel.
std::map<std::string, Said> said_by_ptxas(const std::string& log) {
    std::map<std::string, Said> said;
    std::istringstream lines(log);
    std::string line;
    std::string kernel;
    std::smatch match;
    const auto number = [&](const char* pattern) {
        return std::regex_search(line, match, std::regex(pattern))
                   ? static_cast<std::uint32_t>(std::stoul(match[1]))
                   : 0u;
    };
    while (std::getline(lines, line)) {
        if (std::regex_search(line, match, std::regex("entry function '(\\w+)'"))) {
            kernel = match[1];
        } else if (line.find("stack frame") != std::string::npos && !said.contains(kernel)) {
            said[kernel].frame = number("(\\d+) bytes stack frame");
        } else if (line.find("Used ") != std::string::npos) {
            said[kernel].registers = number("Used (\\d+) registers");
            if (line.find(" barriers") != std::string::npos) {
                said[kernel].barriers = number("used (\\d+) barriers");
            }
            said[kernel].shared = number("(\\d+) bytes smem");
        }
    }
    return said;
}

TEST_F(CubinFactsTest, AreThoseOfPtxasOnEveryArchitecture) {
    for (const std::string& architecture : architectures_of({"sm_80", "sm_90a", "sm_100"})) {
        const NvrtcOutput output = compile_here(k_kernels, architecture);
        ASSERT_TRUE(output.ok) << output.log;
        const auto kernels = read_cubin_facts(output.cubin);
        ASSERT_TRUE(kernels) << kernels.error().message();
        const auto said = said_by_ptxas(output.log);
        ASSERT_EQ(said.size(), 3u) << output.log;
        ASSERT_EQ(kernels->size(), 3u) << "the device function is no kernel";
        for (const auto& [name, words] : said) {
            const KernelFacts& facts = find(*kernels, name);
            EXPECT_GT(facts.registers, 0u);
            EXPECT_EQ(facts.registers, words.registers) << architecture << " " << name;
            EXPECT_EQ(facts.static_shared_bytes, words.shared) << architecture << " " << name;
            EXPECT_EQ(facts.local_bytes, words.frame) << architecture << " " << name;
            EXPECT_EQ(facts.barriers, words.barriers.value_or(facts.barriers))
                << architecture << " " << name;
        }
        EXPECT_EQ(find(*kernels, "mirror").static_shared_bytes, 400u);
        EXPECT_EQ(find(*kernels, "mirror").barriers, 1u);
        EXPECT_EQ(find(*kernels, "mirror").max_threads, 256u);
        EXPECT_EQ(find(*kernels, "_Z7nothingILi3EEvv").max_threads, 0u);
        const std::vector<KernelParameter> parameters{{0, 8}, {8, 24}, {32, 8}};
        EXPECT_EQ(find(*kernels, "mirror").parameters, parameters);
        EXPECT_TRUE(find(*kernels, "_Z7nothingILi3EEvv").parameters.empty());
    }
}

TEST_F(CubinFactsTest, SpillsComeFromTheLastReportOfAKernel) {
    auto kernels = read_cubin_facts(m_output.cubin);
    ASSERT_TRUE(kernels);
    const std::string forged =
        "ptxas info    : Function properties for spill\n"
        "    7 bytes stack frame, 7 bytes spill stores, 7 bytes spill loads\n";
    add_spills(forged + m_output.log, *kernels);
    EXPECT_GT(find(*kernels, "spill").spill_store_bytes, 100u);
    EXPECT_GT(find(*kernels, "spill").spill_load_bytes, 100u);
    EXPECT_EQ(find(*kernels, "mirror").spill_store_bytes, 0u);
    add_spills(
        "ptxas info : Function properties for spill\n bytes spill stores, x bytes spill "
        "loads\n99999999999 bytes spill stores, 1 bytes spill loads",
        *kernels);
    EXPECT_GT(find(*kernels, "spill").spill_store_bytes, 100u) << "what is no number is not taken";
}

TEST_F(CubinFactsTest, ACubinThatEndsAnywhereIsAnError) {
    for (std::size_t size = 0; size < m_output.cubin.size(); ++size) {
        const std::string cut = m_output.cubin.substr(0, size);  // a copy: its end is memory's end
        const auto facts = read_cubin_facts(cut);
        ASSERT_FALSE(facts) << size;
        ASSERT_EQ(facts.error().code, ErrorCode::corrupt);
    }
}

TEST_F(CubinFactsTest, ChangedBytesNeverGiveMoreThanFactsOrAnError) {
    CounterRng rng(7, RngPurpose::measurement, 0);
    std::size_t errors = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes = m_output.cubin;
        for (std::uint64_t changes = 1 + rng.below(4); changes > 0; --changes) {
            // Half of them where the structure is: header, tables and attributes are at both ends.
            const bool anywhere = rng.below(2) == 0;
            const std::size_t window =
                anywhere ? bytes.size() : std::min<std::size_t>(bytes.size(), 2400);
            const std::size_t at = rng.below(window);
            const std::size_t place = rng.below(2) == 0 ? at : bytes.size() - 1 - at;
            bytes[place] = static_cast<char>(rng.below(256));
        }
        const auto facts = read_cubin_facts(bytes);
        errors += facts ? 0 : 1;
        if (!facts) {
            ASSERT_TRUE(facts.error().code == ErrorCode::corrupt ||
                        facts.error().code == ErrorCode::limit ||
                        facts.error().code == ErrorCode::invalid_argument);
        }
    }
    EXPECT_GT(errors, 1000u);
}

TEST_F(CubinFactsTest, OnlyVariablesOfTheDeviceOutliveALaunch) {
    EXPECT_FALSE(keeps_state(m_output.cubin, m_output.touches_variables));
    const std::string kernel = "extern \"C\" __global__ void k(float* x) { x[0] = ";
    for (const std::string& architecture : architectures_of({"sm_90a", "sm_100a"})) {
        EXPECT_FALSE(keeps_state_of(
            compile_here("extern __shared__ float s[];" + kernel + "s[3]; }", architecture)))
            << architecture;
        EXPECT_FALSE(keeps_state_of(
            compile_here("extern \"C\" __global__ void k(float* x) { __shared__ float s[99]; "
                         "s[threadIdx.x] = x[1]; __syncthreads(); x[0] = s[3]; }",
                         architecture)))
            << architecture;
        for (const std::string variable :
             {"__device__ float v[4];", "__device__ float v[4] = {1, 2, 3, 4};",
              "__constant__ float v[4] = {1, 2, 3, 4};",
              "__device__ const float v[3] = {1, 2, 3};"}) {
            const NvrtcOutput output =
                compile_here(variable + kernel + "v[(int)x[1] & 3]; }", architecture);
            EXPECT_TRUE(keeps_state_of(output)) << variable << architecture;
        }
        EXPECT_TRUE(keeps_state_of(compile_here(
            "extern \"C\" __global__ void k(int* x) { static int n; x[0] = ++n; }", architecture)));
    }
}

// NVRTC makes a variable of every constant at namespace scope, used or not.
TEST_F(CubinFactsTest, ConstantsWhoseValuesAreInTheCodeKeepNothing) {
    const std::string source =
        "#define TILE 32\n"
        "constexpr int k_rows = TILE / 4;\n"
        "static const float k_scale = 0.5f;\n"
        "namespace { constexpr long long k_step = 3; }\n"
        "struct Shape { static constexpr int k_side = 4; };\n"
        "template <int N> struct Twice { static constexpr int value = 2 * N; };\n"
        "constexpr float k_table[4] = {1, 2, 3, 4};\n"
        "template <int N> __global__ void k(float* x, int n) {\n"
        "    __shared__ float s[k_rows];\n"
        "    for (int i = 0; i < k_rows; ++i) s[i] = x[i * k_step] * k_scale;\n"
        "    __syncthreads();\n"
        "    asm volatile(\"// { not a variable }\");\n"
        "    x[n] = s[n % k_rows] + Shape::k_side + Twice<N>::value + k_table[2];\n"
        "}\n"
        "template __global__ void k<3>(float*, int);\n";
    for (const std::string& architecture : architectures_of({"sm_80", "sm_90a", "sm_100a"})) {
        const NvrtcOutput output = compile_here(source, architecture);
        ASSERT_TRUE(output.ok) << output.log;
        EXPECT_TRUE(keeps_state(output.cubin, true)) << "there are variables: " << architecture;
        EXPECT_FALSE(output.touches_variables) << architecture;
        EXPECT_FALSE(keeps_state_of(output)) << architecture;
    }
}

TEST_F(CubinFactsTest, UntouchedVariablesKeepNothingUpToALimit) {
    for (const std::string& architecture : architectures_of({"sm_90a", "sm_100a"})) {
        const auto keeps = [&](std::uint64_t bytes) {
            return keeps_state_of(compile_here("__device__ char v[" + std::to_string(bytes) +
                                                   "]; extern \"C\" __global__ void k(int* x) {}",
                                               architecture));
        };
        EXPECT_FALSE(keeps(k_max_untouched_bytes)) << architecture;
        EXPECT_TRUE(keeps(k_max_untouched_bytes + 1)) << architecture << ": room for answers";
    }
}

TEST_F(CubinFactsTest, EveryWayToAVariableKeepsState) {
    const std::string begin = "extern \"C\" __global__ void k(int* x, int n) { ";
    for (const std::string& source : {
             "__device__ int v; " + begin + "if (n == 7) x[0] = v; else v = x[1]; }",
             "__device__ int v; " + begin + "x[0] = atomicAdd(&v, n); }",
             // by a pointer that another variable begins with
             "__device__ int v; __device__ int* p = &v; " + begin + "*p += n; x[0] = *p; }",
             // by a table of addresses
             "__device__ int v, w; __device__ int* t[2] = {&v, &w}; " + begin + "*t[n & 1] += n; }",
             // by a function that is called through a pointer
             "__device__ int v; __device__ __noinline__ int add(int i) { return v += i; } "
             "__device__ __noinline__ int none(int i) { return i; } " +
                 begin + "int (*f)(int) = n & 1 ? add : none; x[0] = f(n); }",
             // by a function that a variable begins with
             "__device__ int v; __device__ int add(int i) { return v += i; } "
             "__device__ int (*f)(int) = add; " +
                 begin + "x[0] = f(n); }",
             // by inline PTX, of the source's variable and of one of its own
             "__device__ int v; __device__ int w; " + begin +
                 "asm volatile(\"st.global.u32 [v], %0;\" :: \"r\"(n)); }",
             // constants, written to by their address
             "__constant__ int c[4]; " + begin +
                 "int* p = const_cast<int*>(c); asm volatile(\"\" : \"+l\"(p)); p[n] = x[0]; }",
             "constexpr int c[4] = {1, 2, 3, 4}; " + begin +
                 "int* p = const_cast<int*>(&c[n]); *p = x[0]; }",
             "__device__ int v; __device__ const int* seen(int) { return &v; } " + begin +
                 "x[0] = *seen(n); }",
         }) {
        const NvrtcOutput output = compile_here(source, "sm_90a");
        ASSERT_TRUE(output.ok) << source << output.log;
        EXPECT_TRUE(output.touches_variables) << source;
        EXPECT_TRUE(keeps_state_of(output)) << source;
    }
}

TEST_F(CubinFactsTest, VariablesThatTakeMuchOfTheDeviceAreRefused) {
    const auto facts_of = [&](std::uint64_t bytes) {
        const NvrtcOutput output =
            compile_here("__device__ char v[" + std::to_string(bytes) +
                             "]; extern \"C\" __global__ void k(char* x) { v[x[0]] = x[1]; }",
                         "sm_90a");
        EXPECT_TRUE(output.ok) << output.log;
        return read_cubin_facts(output.cubin);
    };
    EXPECT_TRUE(facts_of(k_max_variable_bytes / 2));
    const auto facts = facts_of(k_max_variable_bytes + 1);
    ASSERT_FALSE(facts);
    EXPECT_EQ(facts.error().code, ErrorCode::limit);
    EXPECT_NE(facts.error().what.find("256 MiB"), std::string::npos) << facts.error().what;
}

// What the driver goes by is not known: neither sections nor segments may ask for much.
TEST_F(CubinFactsTest, MemoryThatOnlySegmentsOrOnlySectionsAskForIsRefused) {
    const std::string cubin =
        compile_here(
            "__device__ char v[4096]; extern \"C\" __global__ void k(char* x) { v[x[0]] = "
            "x[1]; }",
            "sm_90a")
            .cubin;
    Elf64_Ehdr header{};
    std::memcpy(&header, cubin.data(), sizeof(header));
    const std::uint64_t much = k_max_variable_bytes * 2;
    const auto code_with = [&](std::size_t at) {
        std::string changed = cubin;
        changed.replace(at, sizeof(much), reinterpret_cast<const char*>(&much), sizeof(much));
        const auto facts = read_cubin_facts(changed);
        return facts ? std::optional<ErrorCode>() : facts.error().code;
    };
    ASSERT_GT(header.e_phnum, 0);
    EXPECT_EQ(code_with(header.e_phoff + offsetof(Elf64_Phdr, p_memsz)), ErrorCode::limit);
    for (std::size_t i = 0; i < header.e_shnum; ++i) {
        Elf64_Shdr section{};
        const std::size_t at = header.e_shoff + i * sizeof(section);
        std::memcpy(&section, cubin.data() + at, sizeof(section));
        if (section.sh_type == SHT_NOBITS && section.sh_size == 4096) {
            EXPECT_EQ(code_with(at + offsetof(Elf64_Shdr, sh_size)), ErrorCode::limit);
            return;
        }
    }
    FAIL() << "there is no section of the variable";
}

TEST_F(CubinFactsTest, WhatTheDriverBringsAlongIsSeenBySymbols) {
    EXPECT_FALSE(calls_driver_code(m_output.cubin));
    const auto calls = [&](const std::string& body) {
        const NvrtcOutput output =
            compile_here("extern \"C\" __global__ void k(int* x) { " + body + " }", "sm_90a");
        EXPECT_TRUE(output.ok) << output.log;
        return calls_driver_code(output.cubin);
    };
    EXPECT_TRUE(calls("void* p = malloc(x[0]); x[1] = p != nullptr; free(p);"));
    EXPECT_TRUE(calls("int* p = new int[x[0]]; p[x[1]] = 1; x[2] = p[x[3]];"));
    EXPECT_TRUE(calls("printf(\"%d\", x[0]);"));
    EXPECT_FALSE(calls("__shared__ int s[4]; s[x[0]] = 1; __syncthreads(); x[1] = s[x[2]];"));
    EXPECT_FALSE(calls_driver_code("\177ELF"));
}

/// ptxas takes the names of the driver's functions from any source.
TEST_F(CubinFactsTest, OfTheDriversFunctionsOnlyThoseForMemoryAndTextMayBeCalled) {
    const NvrtcOutput launching = compile_here(
        "extern \"C\" __device__ int __cuda_syscall_cnpv2LaunchDeviceV2(void*, void*);\n"
        "extern \"C\" __global__ void k(int* x) { *x = __cuda_syscall_cnpv2LaunchDeviceV2(x, x); }",
        "sm_90a");
    ASSERT_TRUE(launching.ok) << launching.log;
    const auto refused = read_cubin_facts(launching.cubin);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(refused.error().message(), HasSubstr("__cuda_syscall_cnpv2LaunchDeviceV2"));

    const NvrtcOutput honest = compile_here(
        "struct alignas(64) Line { float of[16]; };\n"
        "extern \"C\" __global__ void k(float* x, int n) {\n"
        "    float* p = (float*)malloc(n); p[n - 1] = x[0]; printf(\"%f\", p[n / 2]); free(p);\n"
        "    Line* lines = new Line[n]; lines[n - 1].of[3] = x[0]; x[1] = lines[n / 2].of[1];\n"
        "    delete[] lines; assert(x[0] < n);\n}",
        "sm_90a");
    ASSERT_TRUE(honest.ok) << honest.log;
    EXPECT_TRUE(read_cubin_facts(honest.cubin));
    std::string other = honest.cubin;  // as a cubin from elsewhere may ask for anything
    const std::string name = std::string(1, '\0') + "vprintf" + std::string(1, '\0');
    ASSERT_NE(other.find(name), std::string::npos);
    other.replace(other.find(name) + 1, 7, "cnp\x01\x01\xffX");
    EXPECT_THAT(read_cubin_facts(other).error().message(), HasSubstr("cnp???X"));
}

TEST(CubinFacts, WhatIsNoCubinMayKeepAnything) {
    EXPECT_TRUE(keeps_state("", false));
    EXPECT_TRUE(keeps_state("\177ELF", false));
}

/// Writes over `name` in the table of sections' names: `other` is not longer.
std::string renamed(std::string cubin, const std::string& name, const std::string& other) {
    const std::size_t at = cubin.find(std::string(1, '\0') + name + std::string(1, '\0'));
    EXPECT_NE(at, std::string::npos);
    return cubin.replace(at + 1, name.size(),
                         other + std::string(name.size() - other.size(), '\0'));
}

TEST_F(CubinFactsTest, WhatTheDriverCouldReadInAnotherWayIsRefused) {
    const auto complaint = [](const std::string& cubin) {
        const auto facts = read_cubin_facts(cubin);
        return facts ? "" : facts.error().what;
    };
    ASSERT_EQ(complaint(m_output.cubin), "");
    EXPECT_EQ(complaint(renamed(m_output.cubin, ".nv.info.mirror", ".nv.info.spill")),
              "has two sections of one name");
    // Attributes of one kernel under the name of another.
    std::string swapped = renamed(m_output.cubin, ".nv.info.mirror", ".nv.info.nobody");
    EXPECT_EQ(complaint(swapped), "says nothing of kernel mirror");
}

TEST_F(CubinFactsTest, TheCapabilityIsThatOfTheArchitecture) {
    EXPECT_EQ(read_cubin_capability(m_output.cubin).value(), 90u);
    for (const std::string& architecture : architectures_of({"sm_80", "sm_100"})) {
        EXPECT_EQ(read_cubin_capability(compile_here(k_kernels, architecture).cubin).value(),
                  std::stoul(architecture.substr(3)));
    }
    EXPECT_FALSE(read_cubin_capability("\177ELF"));
}

TEST(CubinFacts, RandomBytesAreAnError) {
    CounterRng rng(8, RngPurpose::measurement, 0);
    for (int round = 0; round < 2000; ++round) {
        std::string bytes(rng.below(4096), '\0');
        for (char& byte : bytes) {
            byte = static_cast<char>(rng.below(256));
        }
        EXPECT_FALSE(read_cubin_facts(bytes));
    }
    EXPECT_FALSE(read_cubin_facts("\177ELF"));
}

}  // namespace
}  // namespace atl
