#include "reward/cuda/device_compiler.hpp"

#include "tests/unit/cuda/nvrtc_fixture.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <stop_token>
#include <thread>
#include <utility>

namespace atl {
namespace {

using testing::NvrtcTest;
using Status = DeviceBinary::Status;

DeviceCompilerOptions options_for(const testing::NvrtcPlace& place, SandboxLevel level) {
    DeviceCompilerOptions options;
    options.nvrtc = place.library;
    options.include = place.include;
    options.architecture = "sm_90a";
    options.required = level;
    options.at_most = level;
    options.worker_program = ATOLL_BIN_DIR "/atoll-worker";
    return options;
}

/// One compiler for all tests of a level: warming up takes seconds. (CTest starts a process for
/// each test, so there are few.)
class DeviceCompilerTest : public NvrtcTest {
  protected:
    explicit DeviceCompilerTest(SandboxLevel level = SandboxLevel::full) : m_level(level) {}

    void SetUp() override {
        NvrtcTest::SetUp();
        if (IsSkipped()) {
            return;
        }
        std::unique_ptr<DeviceCompiler>& compiler = s_compilers[m_level];
        if (!compiler) {
            auto made = DeviceCompiler::make(options_for(place(), m_level));
            if (!made && made.error().code == ErrorCode::permission) {
                ATOLL_SKIP_OR_FAIL(made.error().message());
            }
            ASSERT_TRUE(made) << made.error().message();
            compiler = std::move(*made);
        }
        m_compiler = compiler.get();
    }
    static void TearDownTestSuite() { s_compilers.clear(); }

    DeviceBinary compile(DeviceCompileRequest request) {
        if (request.architecture.empty()) {
            request.architecture = "sm_90a";
        }
        const auto begin = std::chrono::steady_clock::now();
        auto binary = m_compiler->compile(request);
        m_wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        if (!binary) {
            throw std::runtime_error(binary.error().message());
        }
        return std::move(*binary);
    }
    DeviceBinary compile(const std::string& source) {
        DeviceCompileRequest request;
        request.source = source;
        request.timeout_s = 60;
        return compile(std::move(request));
    }
    /// After something bad: the worker lives and works.
    void expect_it_still_works() {
        static int serial = 0;
        const DeviceBinary binary =
            compile("__global__ void k" + std::to_string(++serial) + "(int* a) { a[0] = 1; }\n");
        EXPECT_EQ(binary.status, Status::ok) << binary.log;
        EXPECT_EQ(m_compiler->restarts(), 0u);
    }
    /// A source that is to end within `limit_s` of time and 2 GiB.
    DeviceBinary compile_bad(const std::string& source, double limit_s) {
        DeviceCompileRequest request;
        request.source = source;
        request.timeout_s = limit_s;
        request.memory_bytes = 2ull << 30;
        DeviceBinary binary = compile(std::move(request));
        EXPECT_NE(binary.status, Status::ok);
        EXPECT_FALSE(binary.log.empty());
        EXPECT_LT(m_wall_s, limit_s + 10);
        return binary;
    }

    const SandboxLevel m_level;
    DeviceCompiler* m_compiler = nullptr;
    double m_wall_s = 0;

  private:
    static inline std::map<SandboxLevel, std::unique_ptr<DeviceCompiler>> s_compilers;
};

constexpr const char* k_add =
    "extern \"C\" __global__ void add(float* a, const float* b, int n) {\n"
    "    int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
    "    if (i < n) a[i] += b[i];\n"
    "}\n";

constexpr const char* k_groups =
    "#include <cooperative_groups.h>\n#include <cooperative_groups/reduce.h>\n"
    "namespace cg = cooperative_groups;\n"
    "__global__ void k(int* a) {\n"
    "  auto tile = cg::tiled_partition<32>(cg::this_thread_block());\n"
    "  int sum = cg::reduce(tile, a[threadIdx.x], cg::plus<int>());\n"
    "  if (tile.thread_rank() == 0) a[0] = sum;\n}\n";

/// Instantiates 2^26 templates.
constexpr const char* k_endless =
    "template <int N, int M> struct S { static constexpr long v = S<N - 1, M>::v + "
    "S<N - 1, M + (1 << N)>::v; };\n"
    "template <int M> struct S<0, M> { static constexpr long v = M; };\n"
    "__global__ void k(long* a) { a[0] = S<26, 0>::v; }\n";

TEST_F(DeviceCompilerTest, GivesMachineCodeAndFacts) {
    for (const std::string& architecture : architectures_of({"sm_80", "sm_90a", "sm_100"})) {
        DeviceCompileRequest request;
        request.source = k_add;
        request.architecture = architecture;
        const DeviceBinary binary = compile(request);
        ASSERT_EQ(binary.status, Status::ok) << binary.log;
        ASSERT_EQ(binary.kernels.size(), 1u);
        EXPECT_EQ(binary.kernels[0].name, "add");
        EXPECT_GT(binary.kernels[0].registers, 0u);
        const std::vector<KernelParameter> parameters{{0, 8}, {8, 8}, {16, 4}};
        EXPECT_EQ(binary.kernels[0].parameters, parameters);
        EXPECT_EQ(binary.log, "");
        EXPECT_GT(binary.seconds, 0);
        char magic[4] = {};
        ASSERT_EQ(::pread(binary.cubin->get(), magic, 4, 0), 4);
        EXPECT_EQ(std::string(magic, 4), "\177ELF");
        EXPECT_NE(::fcntl(binary.cubin->get(), F_GET_SEALS) & F_SEAL_WRITE, 0);
    }
}

TEST_F(DeviceCompilerTest, CompilesTemplatesThatAreNamed) {
    DeviceCompileRequest request;
    request.source = "template <class T, int N> __global__ void scale(T* a) { a[N] *= FACTOR; }\n";
    request.name_expressions = {"scale<float, 4>", "scale<int, 2>"};
    request.defines = {{"FACTOR", "3"}};
    const DeviceBinary binary = compile(request);
    ASSERT_EQ(binary.status, Status::ok) << binary.log;
    EXPECT_EQ(binary.names,
              (std::vector<std::string>{"_Z5scaleIfLi4EEvPT_", "_Z5scaleIiLi2EEvPT_"}));
    EXPECT_EQ(binary.kernels.size(), 2u);
    request.name_expressions = {"scale<float, 4>", "nobody<2>"};
    EXPECT_EQ(compile(request).status, Status::error);
    request.name_expressions = {"x\ny"};
    request.architecture = "sm_90a";
    EXPECT_EQ(m_compiler->compile(request).error().code, ErrorCode::invalid_argument);
}

TEST_F(DeviceCompilerTest, CompilesWhatCudaAndItsLibraryOffer) {
    const DeviceBinary mma = compile(
        "#include <cuda_fp16.h>\n#include <mma.h>\nusing namespace nvcuda;\n"
        "__global__ void k(half* a, half* b, float* c) {\n"
        "  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> x;\n"
        "  wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::col_major> y;\n"
        "  wmma::fragment<wmma::accumulator, 16, 16, 16, float> z;\n"
        "  wmma::fill_fragment(z, 0.f); wmma::load_matrix_sync(x, a, 16);\n"
        "  wmma::load_matrix_sync(y, b, 16); wmma::mma_sync(z, x, y, z);\n"
        "  wmma::store_matrix_sync(c, z, 16, wmma::mem_row_major);\n}\n");
    EXPECT_EQ(mma.status, Status::ok) << mma.log;
    const DeviceBinary groups = compile(k_groups);
    EXPECT_EQ(groups.status, Status::ok) << groups.log;
    const DeviceBinary cub = compile(
        "#include <cub/block/block_reduce.cuh>\n#include <cuda/std/array>\n#include <cstdint>\n"
        "__global__ void k(int64_t* a) {\n"
        "  using Reduce = cub::BlockReduce<int64_t, 128>;\n"
        "  __shared__ typename Reduce::TempStorage storage;\n"
        "  int64_t sum = Reduce(storage).Sum(a[threadIdx.x]);\n"
        "  cuda::std::array<int, 2> two{1, 2};\n"
        "  if (threadIdx.x == 0) a[0] = sum * two[1];\n}\n");
    EXPECT_EQ(cub.status, Status::ok) << cub.log;
    ASSERT_EQ(cub.kernels.size(), 1u);
    EXPECT_GT(cub.kernels[0].static_shared_bytes, 0u);
}

/// The machine code of a kernel in a cubin: section ".text.NAME" of an ELF file.
std::string code_of(const DeviceBinary& binary, const std::string& kernel) {
    std::string file(binary.bytes, '\0');
    EXPECT_EQ(::pread(binary.cubin->get(), file.data(), file.size(), 0),
              static_cast<ssize_t>(file.size()));
    Elf64_Ehdr head{};
    std::memcpy(&head, file.data(), sizeof(head));
    std::vector<Elf64_Shdr> sections(head.e_shnum);
    std::memcpy(sections.data(), file.data() + head.e_shoff, sections.size() * sizeof(Elf64_Shdr));
    for (const Elf64_Shdr& section : sections) {
        const char* const name =
            file.data() + sections[head.e_shstrndx].sh_offset + section.sh_name;
        if (name == ".text." + kernel) {
            return file.substr(section.sh_offset, section.sh_size);
        }
    }
    return "";
}

TEST_F(DeviceCompilerTest, GroupsWithoutCcclAreTheSameMachineCodeAndLeaveNoVariables) {
    DeviceCompileRequest request;
    request.source = k_groups;
    request.timeout_s = 60;
    const DeviceBinary light = compile(request);
    ASSERT_EQ(light.status, Status::ok) << light.log;
    request.flags = {"--ftz=false"};  // as it is anyway, but then nothing is precompiled
    const DeviceBinary full = compile(request);
    ASSERT_EQ(full.status, Status::ok) << full.log;
    const std::string code = code_of(light, light.kernels[0].name);
    EXPECT_FALSE(code.empty());
    EXPECT_EQ(code, code_of(full, full.kernels[0].name));
    EXPECT_LT(light.bytes, full.bytes / 5);
    request.flags = {"--maxrregcount=64", "--fmad=true", "--extra-device-vectorization"};
    const DeviceBinary flagged = compile(request);  // what headers do not see changes nothing
    ASSERT_EQ(flagged.status, Status::ok) << flagged.log;
    EXPECT_LT(flagged.bytes, full.bytes / 5);
    request.flags = {"--use_fast_math", "--maxrregcount=64"};
    const DeviceBinary fast = compile(request);
    ASSERT_EQ(fast.status, Status::ok) << fast.log;
    EXPECT_LT(fast.bytes, full.bytes / 5);
}

TEST_F(DeviceCompilerTest, GroupsThatNeedCcclGetIt) {
    const DeviceBinary binary = compile(
        "#include <cooperative_groups.h>\n#include <cooperative_groups/reduce.h>\n"
        "namespace cg = cooperative_groups;\n"
        "__global__ void k(int* a) {\n"
        "  auto tile = cg::tiled_partition<32>(cg::this_thread_block());\n"
        "  cuda::atomic_ref<int, cuda::thread_scope_device> sum(a[0]);\n"
        "  cg::reduce_update_async(tile, sum, a[threadIdx.x + 1], cg::plus<int>());\n}\n");
    EXPECT_EQ(binary.status, Status::ok) << binary.log;
    const DeviceBinary wrong = compile(
        "#include <cooperative_groups.h>\n__global__ void k(int* a) {\n  a[0] = nobody;\n}\n");
    EXPECT_EQ(wrong.status, Status::error);
    EXPECT_TRUE(wrong.log.starts_with("candidate.cu(3): error")) << wrong.log;
}

TEST_F(DeviceCompilerTest, AFlagTakesNoHeaderAwayThatABundleGave) {
    DeviceCompileRequest request;
    request.timeout_s = 60;
    request.source =
        "#include <cuda_bf16.h>\n__global__ void k(half* a) { a[0] = __hadd(a[1], a[2]); }\n";
    EXPECT_EQ(compile(request).status, Status::ok);
    request.flags = {"--ftz=true"};
    EXPECT_EQ(compile(request).status, Status::ok);
    request.source += "nobody();\n";
    const DeviceBinary wrong = compile(request);
    EXPECT_EQ(wrong.status, Status::error);
    EXPECT_TRUE(wrong.log.starts_with("candidate.cu(")) << wrong.log;
}

TEST_F(DeviceCompilerTest, ANameThatABundleTakesIsTheSourcesWhenItsHeaderIsNotIncluded) {
    const DeviceBinary binary = compile(
        "#include <cuda_fp16.h>\nstruct __nv_bfloat16 { float x; };\n"
        "__global__ void k(half* a, __nv_bfloat16* b) { a[0] = __float2half(b[0].x); }\n");
    EXPECT_EQ(binary.status, Status::ok) << binary.log;
}

TEST_F(DeviceCompilerTest, FlagsAndStandards) {
    DeviceCompileRequest request;
    request.source =
        "#include <cuda_fp16.h>\nstatic_assert(__cplusplus == 202002L, \"\");\n"
        "__global__ void k(float* a, half* b) { a[0] = a[1] / a[2]; b[0] = b[1]; }\n";
    request.flags = {"--std=c++20"};
    const DeviceBinary exact = compile(request);
    EXPECT_EQ(exact.status, Status::ok) << exact.log;
    request.flags.emplace_back("--use_fast_math");
    const DeviceBinary fast = compile(request);
    EXPECT_EQ(fast.status, Status::ok) << fast.log;
    EXPECT_LT(fast.bytes, exact.bytes) << "division is a function call without it";
    request.architecture = "sm_90a";
    request.flags = {"-I/etc"};
    EXPECT_EQ(m_compiler->compile(request).error().code, ErrorCode::invalid_argument);
    request.flags = {};
    request.architecture = "sm_90a --gpu";
    EXPECT_EQ(m_compiler->compile(request).error().code, ErrorCode::invalid_argument);
    request.architecture = "sm_90a";
    request.defines = {{"A", "1\n#include <x>"}};
    EXPECT_EQ(m_compiler->compile(request).error().code, ErrorCode::invalid_argument);
}

TEST_F(DeviceCompilerTest, AnErrorIsToldWithTheUsersLine) {
    DeviceCompileRequest request;
    request.source =
        "#include <cuda_fp16.h>\n\n__global__ void k(half* a) {\n  a[0] = nobody;\n}\n";
    request.defines = {{"BLOCK", "4"}};
    const DeviceBinary binary = compile(request);
    EXPECT_EQ(binary.status, Status::error);
    EXPECT_TRUE(binary.log.starts_with("candidate.cu(4): error")) << binary.log;
    EXPECT_NE(binary.log.find("nobody"), std::string::npos);
    EXPECT_EQ(binary.log.find(place().include), std::string::npos) << binary.log;
    EXPECT_EQ(binary.cubin, nullptr);
}

TEST_F(DeviceCompilerTest, FilesOfTheHostAreNeitherAllowedNorThere) {
    EXPECT_TRUE(compile("#include \"/etc/passwd\"\n").log.starts_with("candidate.cu(1): error"));
    const DeviceBinary oracle = compile(
        "#if __has_include(\"/etc/passwd\")\n#error it is there\n#endif\n"
        "__global__ void k() {}\n");
    EXPECT_EQ(oracle.status, Status::ok) << oracle.log;
}

TEST_F(DeviceCompilerTest, WithoutAKernelItIsAnError) {
    for (const std::string& source :
         {std::string(), std::string("\0\1\2\3\377garbage", 12), std::string("__device__ int x;\n"),
          std::string("template <class T> __global__ void k(T* a) {}\n")}) {
        const DeviceBinary binary = compile(source);
        EXPECT_EQ(binary.status, Status::error);
        EXPECT_FALSE(binary.log.empty());
    }
    // NVRTC reads up to a NUL: what comes after is not simply left out.
    EXPECT_EQ(compile(std::string(k_add) + std::string(1, '\0') + "nobody();\n").status,
              Status::error);
}

/// Nine levels of a macro that names the one before eight times.
std::string macro_bomb() {
    std::string source = "#define A0 1 +\n";
    for (int level = 1; level <= 9; ++level) {
        source += "#define A" + std::to_string(level);
        for (int i = 0; i < 8; ++i) {
            source += " A" + std::to_string(level - 1);
        }
        source += "\n";
    }
    return source + "__global__ void k(long* a) { a[0] = A9 0; }\n";
}

TEST_F(DeviceCompilerTest, BombsEndAtALimitAndTheNextSourceCompiles) {
    const std::string huge_array =
        "__device__ int a[1ull << 36] = {1};\n__global__ void k(int* b) { b[0] = a[5]; }\n";
    for (const auto& [source, limit_s] : {std::pair(std::string(k_endless), 2),
                                          std::pair(macro_bomb(), 2), std::pair(huge_array, 20)}) {
        const DeviceBinary binary = compile_bad(source, limit_s);
        EXPECT_EQ(binary.status, Status::limit) << binary.log;
        expect_it_still_works();
    }
}

TEST_F(DeviceCompilerTest, WhatCrashesNvrtcEndsOneChildAtMost) {
    constexpr std::size_t k_depth = 200'000;
    const std::string parentheses =
        "__global__ void k(int* a) { a[0] = " + std::string(k_depth, '(') + "1" +
        std::string(k_depth, ')') + "; }\n";
    const std::string long_name =
        "__global__ void k(int* a) { int " + std::string(5u << 20, 'x') + " = 1; }\n";
    for (const std::string& source : {parentheses, long_name}) {
        DeviceCompileRequest request;
        request.source = source;
        request.timeout_s = 20;
        request.memory_bytes = 2ull << 30;
        const DeviceBinary binary = compile(request);
        EXPECT_TRUE(binary.status == Status::ok || !binary.log.empty());
        expect_it_still_works();
    }
}

TEST_F(DeviceCompilerTest, LogsAndMachineCodeAreLimited) {
    std::string source = "__global__ void k() {\n";
    for (int i = 0; i < 5000; ++i) {
        source += "nobody" + std::to_string(i) + "(" + std::string(300, '1') + ");\n";
    }
    EXPECT_LE(compile(source + "}\n").log.size(), 16u << 10);
    DeviceCompileRequest request;
    request.source = k_add;
    request.defines = {{"UNUSED", "1"}};
    request.cubin_bytes = 100;
    const DeviceBinary binary = compile(request);
    EXPECT_EQ(binary.status, Status::limit);
    EXPECT_NE(binary.log.find("100 bytes"), std::string::npos) << binary.log;
}

TEST_F(DeviceCompilerTest, ManyAtOnceEachGetTheirOwn) {
    std::vector<std::thread> threads;
    std::atomic<int> right = 0;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([this, i, &right] {
            const std::string name = "kernel" + std::to_string(i);
            DeviceCompileRequest request;
            request.architecture = "sm_90a";
            request.timeout_s = 60;
            request.source = "extern \"C\" __global__ void " + name + "(int* a) { a[0] = 1; }\n";
            const auto binary = m_compiler->compile(request);
            right += binary && binary->status == Status::ok && binary->kernels[0].name == name;
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(right, 8);
}

TEST_F(DeviceCompilerTest, ACancelledCompilationIsKilled) {
    std::stop_source stop;
    DeviceCompileRequest request;
    request.architecture = "sm_90a";
    request.source = k_endless;
    request.timeout_s = 300;
    request.cancel = stop.get_token();
    std::thread canceller([&stop] {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        stop.request_stop();
    });
    const auto cancelled = m_compiler->compile(request);
    canceller.join();
    ASSERT_FALSE(cancelled);
    EXPECT_EQ(cancelled.error().code, ErrorCode::interrupted);
    expect_it_still_works();
}

class RestrictedDeviceCompilerTest : public DeviceCompilerTest {
  protected:
    RestrictedDeviceCompilerTest() : DeviceCompilerTest(SandboxLevel::restricted) {}
};

TEST_F(RestrictedDeviceCompilerTest, LandlockHoldsWhereThereAreNoNamespaces) {
    const DeviceBinary groups = compile(k_groups);
    EXPECT_EQ(groups.status, Status::ok) << groups.log;
    EXPECT_EQ(compile_bad(k_endless, 2).status, Status::limit);
    expect_it_still_works();
}

}  // namespace
}  // namespace atl
