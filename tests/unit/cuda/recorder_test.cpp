#include "reward/cuda/recorder.hpp"

#include "reward/base/programs.hpp"
#include "reward/cuda/recording_source.hpp"
#include "tests/support/skip_or_fail.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <cstring>
#include <map>
#include <string>

namespace atl {
namespace {

using ::testing::HasSubstr;
using Buffer = PlanAddress::Buffer;

/// One recorder for all tests: its workers take a while to start.
class RecorderTest : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        if (!find_programs("clang++").empty()) {
            RecorderOptions options;
            options.required = SandboxLevel::none;
            options.worker_program = ATOLL_BIN_DIR "/atoll-worker";
            options.launch_timeout_s = 1;
            s_recorder = value_or_throw(Recorder::create(options));
            s_small = std::make_unique<testing::SmallTask>();
            s_task = s_small->task();
        }
    }
    static void TearDownTestSuite() {
        s_recorder.reset();
        s_task.reset();
        s_small.reset();
    }
    void SetUp() override {
        if (s_recorder == nullptr) {
            ATOLL_SKIP_OR_FAIL("clang++ is not installed");
        }
    }

    /// launch() with that body, after other declarations, begins in line 2.
    static std::string launcher(const std::string& body, const std::string& before = "") {
        return before +
               "\nvoid launch(const float* x, const float* bias, float alpha, float* y, int rows, "
               "int cols, cudaStream_t stream) {\n" +
               body + "\n}\n";
    }
    static RecordReply record(const std::string& source, const std::string& workload = "large",
                              std::span<const KernelFacts> kernels = {},
                              const std::map<std::string, std::string>& tune = {}) {
        RecordRequest request;
        request.task = s_task.get();
        request.host_source = recording_source(*s_task, split_cuda_source(source), tune);
        for (const Workload& one : s_task->workloads) {
            if (one.id == workload || workload == "all") {
                request.workloads.push_back(&one);
            }
        }
        request.device = *device_limits_of("sm_90a");
        request.kernels = kernels;
        return value_or_throw(s_recorder->record(request));
    }
    /// The only plan; fails when there is a fault.
    static Plan plan(const std::string& source, const std::string& workload = "large",
                     std::span<const KernelFacts> kernels = {}) {
        RecordReply reply = record(source, workload, kernels);
        if (reply.fault) {
            ADD_FAILURE() << reply.fault->line << ": " << reply.fault->reason << "\n"
                          << reply.compile_log;
            return {};
        }
        EXPECT_TRUE(check_plan(reply.plans.at(0), *device_limits_of("sm_90a")));
        return reply.plans.at(0);
    }
    static PlanLaunch launch_of(const Plan& plan, std::size_t step = 0) {
        if (step >= plan.steps.size() ||
            !std::holds_alternative<PlanLaunch>(plan.steps[step].what)) {
            ADD_FAILURE() << "no launch in step " << step << "\n" << to_text(plan);
            return {};
        }
        return std::get<PlanLaunch>(plan.steps[step].what);
    }
    static RecordFault fault(const std::string& source, const std::string& workload = "large") {
        const RecordReply reply = record(source, workload);
        if (!reply.fault) {
            ADD_FAILURE() << "recorded:\n" << to_text(reply.plans.at(0));
            return {};
        }
        return *reply.fault;
    }
    template <class T>
    static T value_of(const PlanData& data, std::size_t at = 0) {
        T value{};
        EXPECT_LE(at + sizeof(T), data.bytes.size());
        std::memcpy(&value, data.bytes.data() + at, sizeof(T));
        return value;
    }
    static PlanAddress target_of(const PlanData& data, std::size_t pointer = 0) {
        EXPECT_LT(pointer, data.pointers.size());
        return pointer < data.pointers.size() ? data.pointers[pointer].target : PlanAddress{};
    }

  private:
    inline static std::unique_ptr<Recorder> s_recorder;
    inline static std::unique_ptr<testing::SmallTask> s_small;
    inline static TaskPtr s_task;
};

constexpr const char* k_kernel =
    "__global__ void k(const float* x, float* y, int n) {\n"
    "    for (int i = threadIdx.x; i < n; i += blockDim.x) y[i] = "
    "__expf(x[i]);\n}";

TEST_F(RecorderTest, NoinlineIsAWordOfTheDeviceAndOfTheHostsHeaders) {
    const Plan plan = RecorderTest::plan(R"(#include <string>
__device__ __noinline__ float twice(float x) { return 2 * x; }
__noinline__ int one() { return 1; }
__attribute__((__noinline__)) int my__noinline__word() { return 2; }
__global__ void run(const float* x, float* y) { y[0] = twice(x[0]); }
void launch(const float* x, const float*, float, float* y, int, int, cudaStream_t stream) {
    run<<<one(), my__noinline__word() * std::string("a").size(), 0, stream>>>(x, y);
}
)");
    EXPECT_EQ(launch_of(plan).block[0], 2u);
}

TEST_F(RecorderTest, ClangIsKeptWarm) {
    EXPECT_EQ(record(launcher("k<<<1, 32>>>(x, y, 1);", k_kernel)).whole_because, "");
    EXPECT_EQ(
        record("#include <vector>\n" + launcher("k<<<1, 32>>>(x, y, 1);", k_kernel)).whole_because,
        "");
}

TEST_F(RecorderTest, AGridStrideLaunchIsRecordedForEachShape) {
    const RecordReply reply = record(
        launcher("k<<<(rows * cols + 255) / 256, 256, 0, stream>>>(x, y, rows * cols);", k_kernel),
        "all");
    ASSERT_FALSE(reply.fault) << reply.fault->reason << reply.compile_log;
    ASSERT_EQ(reply.plans.size(), 6u);
    const PlanLaunch odd = launch_of(reply.plans[0]);
    EXPECT_EQ(odd.kernel, "_Z1kPKfPfi");
    EXPECT_EQ(odd.grid, (PlanDim{1, 1, 1}));
    EXPECT_EQ(odd.block, (PlanDim{256, 1, 1}));
    EXPECT_EQ(value_of<int>(odd.arguments.at(2)), 51);
    const PlanLaunch large = launch_of(reply.plans[3]);
    EXPECT_EQ(large.grid, (PlanDim{64, 1, 1}));
    EXPECT_EQ(target_of(large.arguments.at(0)), (PlanAddress{Buffer::input, 0, 0}));
    EXPECT_EQ(target_of(large.arguments.at(1)), (PlanAddress{Buffer::output, 0, 0}));
    EXPECT_EQ(reply.plans[3].steps[0].line, 5u);
    EXPECT_EQ(reply.plans[3].inputs, (std::vector<std::uint64_t>{65536, 1024}));
}

TEST_F(RecorderTest, LoopsTemplatesScratchMemsetsAndDynamicSharedMemory) {
    const Plan recorded = plan(launcher(R"(
    float* tmp = nullptr;
    cudaMalloc(&tmp, rows * 8 * sizeof(float));
    cudaMemsetAsync(tmp, 0, rows * 8 * sizeof(float), stream);
    const int splits = cols > 100 ? 2 : 1;
    for (int i = 0; i < splits; ++i)
        part<BLOCK, float><<<dim3(rows, 2), BLOCK, BLOCK * sizeof(float), stream>>>(x + i * 4, tmp, 1.0f / sqrtf(cols));
    if (splits > 1) combine<<<rows, 32>>>(tmp, y);
    cudaMemcpyAsync(y, tmp, 16, cudaMemcpyDeviceToDevice, stream);
    cudaFree(tmp);
    if (cudaGetLastError() != cudaSuccess) printf("%s\n", cudaGetErrorString(cudaGetLastError()));
)",
                                        R"(#include <cuda_runtime.h>
#include <cstdio>
#ifndef BLOCK
#define BLOCK 128 // tune: 64, 128
#endif
template <int B, class T> __global__ void __launch_bounds__(B) part(const T* x, T* y, float s) {
    extern __shared__ T buffer[];
    asm volatile("bar.sync 0;");
}
static __global__ void combine(const float* t, float* y) {}
)"));
    ASSERT_EQ(recorded.steps.size(), 5u);
    EXPECT_EQ(recorded.scratch, (std::vector<std::uint64_t>{2048}));
    EXPECT_EQ(std::get<PlanMemset>(recorded.steps[0].what).bytes, 2048u);
    const PlanLaunch second = launch_of(recorded, 2);
    EXPECT_EQ(second.kernel, "_Z4partILi128EfEvPKT0_PS0_f");
    EXPECT_EQ(second.grid, (PlanDim{64, 2, 1}));
    EXPECT_EQ(second.shared_bytes, 512u);
    EXPECT_EQ(target_of(second.arguments[0]), (PlanAddress{Buffer::input, 0, 16}));
    EXPECT_EQ(target_of(second.arguments[1]), (PlanAddress{Buffer::scratch, 0, 0}));
    EXPECT_FLOAT_EQ(value_of<float>(second.arguments[2]), 1.0F / 16);
    EXPECT_EQ(launch_of(recorded, 3).kernel, "_Z7combinePKfPf");
    EXPECT_EQ(std::get<PlanCopy>(recorded.steps[4].what).from.buffer, Buffer::scratch);
}

TEST_F(RecorderTest, StructsAndArraysAsArgumentsHaveTheirPointersFound) {
    const Plan recorded =
        plan(launcher("Args a{{x, bias}, alpha, y + rows, 7};\n k<<<1, 32>>>(a, '!', y + 1);",
                      "struct Args { const float* in[2]; float alpha; float* out; char last; };\n"
                      "__global__ void k(const Args a, char c, float* y) {}"));
    const PlanLaunch launch = launch_of(recorded);
    ASSERT_EQ(launch.arguments.size(), 3u);
    const PlanData& args = launch.arguments[0];
    EXPECT_EQ(args.bytes.size(), 40u);
    ASSERT_EQ(args.pointers.size(), 3u);
    EXPECT_EQ(args.pointers[0], (PlanRelocation{0, {Buffer::input, 0, 0}}));
    EXPECT_EQ(args.pointers[1], (PlanRelocation{8, {Buffer::input, 1, 0}}));
    EXPECT_EQ(args.pointers[2], (PlanRelocation{24, {Buffer::output, 0, 256}}));
    EXPECT_EQ(args.bytes[32], 7);
    EXPECT_EQ(launch.arguments[1].bytes, (std::vector<std::uint8_t>{'!'}));
    EXPECT_EQ(target_of(launch.arguments[2]), (PlanAddress{Buffer::output, 0, 4}));
}

TEST_F(RecorderTest, OtherWaysToLaunchAndTheirAttributes) {
    const Plan recorded = plan(launcher(R"(
    int n = rows * cols;
    void* args[] = {&x, &y, &n};
    cudaLaunchKernel((void*)k, dim3(4), dim3(32), args, 64, stream);
    cudaLaunchCooperativeKernel(k, 8, 64, args);
    cudaLaunchConfig_t config = {};
    config.gridDim = 16; config.blockDim = dim3(128); config.stream = stream;
    cudaLaunchAttribute attributes[2];
    attributes[0].id = cudaLaunchAttributeClusterDimension;
    attributes[0].val.clusterDim.x = 4; attributes[0].val.clusterDim.y = 1; attributes[0].val.clusterDim.z = 1;
    attributes[1].id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attributes[1].val.programmaticStreamSerializationAllowed = 1;
    config.attrs = attributes; config.numAttrs = 2;
    cudaFuncSetAttribute(k, cudaFuncAttributeMaxDynamicSharedMemorySize, 100000);
    cudaLaunchKernelEx(&config, k, x, y, n);
    cudaLaunchKernelExC(&config, (void*)k, args);
)",
                                        k_kernel));
    ASSERT_EQ(recorded.steps.size(), 4u);
    const PlanLaunch plain = launch_of(recorded, 0);
    EXPECT_EQ(plain.shared_bytes, 64u);
    EXPECT_EQ(target_of(plain.arguments[0]), (PlanAddress{Buffer::input, 0, 0}));
    EXPECT_EQ(value_of<int>(plain.arguments[2]), 64 * 256);
    EXPECT_TRUE(launch_of(recorded, 1).cooperative);
    const PlanLaunch extended = launch_of(recorded, 2);
    EXPECT_EQ(extended.cluster, (PlanDim{4, 1, 1}));
    EXPECT_TRUE(extended.programmatic);
    EXPECT_EQ(extended.arguments, plain.arguments);
    EXPECT_EQ(launch_of(recorded, 3), extended);
    EXPECT_EQ(recorded.settings,
              (std::vector<PlanKernelSettings>{{"_Z1kPKfPfi", 100'000, -1, false}}));
}

TEST_F(RecorderTest, DeviceVariablesAndConstants) {
    const Plan recorded = plan(launcher(R"(
    float weights[3] = {1, 2, alpha};
    cudaMemcpyToSymbolAsync(table, weights, sizeof(weights), 4, cudaMemcpyHostToDevice, stream);
    void* at = nullptr;
    cudaGetSymbolAddress(&at, counter);
    cudaMemsetAsync(at, 0, 4, stream);
    const float* both[2] = {x, bias};
    cudaMemcpyToSymbol(places, both, sizeof(both));
)",
                                        "__constant__ float table[4];\nstatic __device__ int "
                                        "counter;\n__device__ const float* places[2];\n"));
    ASSERT_EQ(recorded.symbols.size(), 3u);
    EXPECT_EQ(recorded.symbols[0], (PlanSymbol{"table", 16}));
    EXPECT_EQ(recorded.symbols[1], (PlanSymbol{"counter", 4}));
    const auto& write = std::get<PlanWrite>(recorded.steps[0].what);
    EXPECT_EQ(write.to, (PlanAddress{Buffer::symbol, 0, 4}));
    EXPECT_EQ(value_of<float>(write.data, 4), 2.0F);
    EXPECT_EQ(std::get<PlanMemset>(recorded.steps[1].what).to, (PlanAddress{Buffer::symbol, 1, 0}));
    EXPECT_EQ(std::get<PlanWrite>(recorded.steps[2].what).data.pointers.at(1),
              (PlanRelocation{8, {Buffer::input, 1, 0}}));
}

TEST_F(RecorderTest, TensorMapsAreArgumentsOfTheirOwn) {
    const std::string kernel =
        "#include <cuda.h>\n#include <cudaTypedefs.h>\n"
        "__global__ void k(int n, const __grid_constant__ CUtensorMap map, float* y) {}\n";
    const std::string direct_call = "#define ENCODE cuTensorMapEncodeTiled\n";
    const std::string encode = R"(
    CUtensorMap map{};
    cuuint64_t dims[2] = {(cuuint64_t)cols, (cuuint64_t)rows}, strides[1] = {cols * sizeof(float)};
    cuuint32_t box[2] = {32, 8}, steps[2] = {1, 1};
    ENCODE(&map, CU_TENSOR_MAP_DATA_TYPE_FLOAT32, 2, (void*)x, dims, strides, box, steps,
        CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_NONE,
        CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    k<<<1, 32>>>(7, map, y);)";
    const Plan direct = plan(launcher(encode, kernel + direct_call));
    ASSERT_EQ(direct.tensor_maps.size(), 1u);
    EXPECT_EQ(direct.tensor_maps[0].dims[0], 256u);
    EXPECT_EQ(direct.tensor_maps[0].strides[0], 1024u);
    EXPECT_EQ(direct.tensor_maps[0].swizzle, 3u);
    EXPECT_EQ(direct.tensor_maps[0].address, (PlanAddress{Buffer::input, 0, 0}));
    const PlanLaunch launch = launch_of(direct);
    ASSERT_EQ(launch.arguments.size(), 3u);
    EXPECT_EQ(launch.arguments[1].maps, (std::vector<PlanMapUse>{{0, 0}}));
    EXPECT_EQ(launch.arguments[1].bytes, std::vector<std::uint8_t>(128, 0));
    EXPECT_EQ(value_or_throw(parse_plan(to_json(direct))), direct);
    const Plan found = plan(launcher(R"(
    void* function = nullptr; cudaDriverEntryPointQueryResult result;
    cudaGetDriverEntryPoint("cuTensorMapEncodeTiled", &function, cudaEnableDefault, &result);
    auto ENCODE = (PFN_cuTensorMapEncodeTiled_v12000)function;)" +
                                         encode,
                                     kernel));
    EXPECT_EQ(found.tensor_maps, direct.tensor_maps);
    std::string beyond = encode;
    beyond.replace(beyond.find("(cuuint64_t)rows"), 16, "rows + 1ul");
    const RecordReply reply = record(launcher(beyond, kernel + direct_call));
    ASSERT_FALSE(reply.fault);
    EXPECT_THAT(check_plan(reply.plans[0], *device_limits_of("sm_90a")).error().message(),
                HasSubstr("tensor map 0: 66560 bytes at byte 0 of input 0 lie outside"));
}

TEST_F(RecorderTest, QueriesAreAnsweredForTheTargetDevice) {
    KernelFacts facts;
    facts.name = "_Z1kPKfPfi";
    facts.registers = 128;
    const Plan recorded = plan(launcher(R"(
    int device = 5, sms = 0, blocks = 0, grid = 0, block = 0;
    cudaGetDevice(&device);
    cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, device);
    cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, k, 256, 0);
    cudaOccupancyMaxPotentialBlockSize(&grid, &block, k);
    cudaDeviceProp p;
    cudaGetDeviceProperties(&p, 0);
    cudaFuncAttributes a;
    cudaFuncGetAttributes(&a, k);
    k<<<dim3(sms * blocks, p.major, a.numRegs), p.warpSize>>>(x, y, (int)p.sharedMemPerBlockOptin);
)",
                                        k_kernel),
                               "large", std::span(&facts, 1));
    const PlanLaunch launch = launch_of(recorded);
    EXPECT_EQ(launch.grid, (PlanDim{132 * 2, 9, 128}));
    EXPECT_EQ(launch.block, (PlanDim{32, 1, 1}));
    EXPECT_EQ(value_of<int>(launch.arguments[2]), 227 << 10);
}

TEST_F(RecorderTest, ScratchKeptInAStaticIsInEveryPlan) {
    const RecordReply reply = record(launcher(R"(
    static float* tmp = nullptr;
    if (tmp == nullptr) cudaMalloc((void**)&tmp, 1024);
    k<<<1, 32>>>(x, tmp, 1);)",
                                              k_kernel),
                                     "all");
    ASSERT_FALSE(reply.fault) << reply.fault->reason;
    for (const Plan& one : reply.plans) {
        EXPECT_EQ(one.scratch.size(), 1u);
    }
}

TEST_F(RecorderTest, TheSameLauncherIsCompiledOnce) {
    const std::string source = launcher("k<<<1, 32>>>(x, y, 1);", k_kernel);
    EXPECT_GT(record(source).compile_seconds, 0);
    const RecordReply again = record(source, "odd");
    EXPECT_EQ(again.compile_seconds, 0);
    ASSERT_FALSE(again.fault);
    EXPECT_EQ(launch_of(again.plans.at(0)).block[0], 32u);
    EXPECT_GT(record(source + "// other").compile_seconds, 0);
    const std::string wrong = launcher("int a = ;\n");
    for (int i = 0; i < 2; ++i) {
        EXPECT_GT(record(wrong).compile_seconds, 0) << "errors are not kept";
    }
}

TEST_F(RecorderTest, VariablesAreFreshForEachWorkload) {
    const RecordReply reply = record(launcher(R"(
    static std::vector<int> seen;
    seen.push_back(rows);
    ++g_calls.count;
    static int tried = 3;
    k<<<seen.size(), g_calls.count * 32, tried++ * 16, stream>>>(x, y, 1);)",
                                              "#include <vector>\n" + std::string(k_kernel) +
                                                  "\nstruct Calls { int count = 0; };\n"
                                                  "static Calls g_calls;"),
                                     "all");
    ASSERT_FALSE(reply.fault) << reply.fault->reason << reply.compile_log;
    ASSERT_GE(reply.plans.size(), 2u);
    EXPECT_EQ(reply.processes, 2) << "one for each of the addresses";
    for (const Plan& one : reply.plans) {
        const PlanLaunch launch = launch_of(one);
        EXPECT_EQ(launch.grid[0], 1u);
        EXPECT_EQ(launch.block[0], 32u);
        EXPECT_EQ(launch.shared_bytes, 48u);
    }
}

/// Each workload is as in a process of its own, whatever the launcher keeps.
TEST_F(RecorderTest, WhatALauncherKeepsElsewhereIsFreshToo) {
    const std::vector<std::pair<std::string, std::string>> keepers{
        {"#include <vector>\nstatic std::vector<int> kept{1, 2, 3};",
         "kept.push_back(4);\nint n = 0;\nfor (int one : kept) n += one;"},
        {"#include <vector>\nstatic std::vector<int> kept(1);", "int n = 10 * ++kept[0];"},
        {"#include <map>\nstatic std::map<int, int> kept{{1, 1}};",
         "kept[kept.size() + 1] = 1;\nint n = kept.size() * 5;"},
        {"#include <string>\nstatic std::string kept(50, 'a');",
         "kept += 'b';\nint n = kept.size() - 41;"},
        {"thread_local int kept = 9;", "int n = ++kept;"},
        {"#include <vector>\nstruct A { std::vector<int> v{1}; };",
         "static A kept;\nkept.v.push_back(1);\nint n = 5 * kept.v.size();"},
        {"#include <vector>\nstatic std::vector<float*> kept(1);",
         "if (!kept[0]) cudaMalloc((void**)&kept[0], 64);\nint n = 10;"},
        {"#include <vector>\n#include <stdlib.h>",
         "int n = 10;\nif (!getenv(\"KEPT\")) n = 10; else n = 11;\n"
         "setenv(\"KEPT\", \"1\", 1);"},
        {"static char kept[300 << 20];", "int n = 10 + kept[0]++;"}};
    for (const auto& [before, body] : keepers) {
        const RecordReply reply =
            record(launcher(body + "\nk<<<n, 32>>>(x, y, 1);", before + "\n" + k_kernel), "all");
        ASSERT_FALSE(reply.fault) << before << reply.fault->reason << reply.compile_log;
        // What is first made in a launch is made anew with its variables.
        const bool shared = body.starts_with("static");
        EXPECT_EQ(reply.processes, shared ? 2 : 2 * static_cast<int>(reply.plans.size())) << before;
        for (const Plan& one : reply.plans) {
            EXPECT_EQ(launch_of(one).grid[0], 10u) << before;
            EXPECT_EQ(one.scratch.size(), body.find("cudaMalloc") == std::string::npos ? 0u : 1u);
        }
    }
}

TEST_F(RecorderTest, AWorkloadThatTakesLongIsNotJudgedByTheTimeOfOthers) {
    const RecordReply reply =
        record(launcher("if (rows != 3) for (volatile int i = 0;;) i = 1;\nk<<<1, 32>>>(x, y, 1);",
                        k_kernel),
               "all");
    ASSERT_TRUE(reply.fault);
    EXPECT_EQ(reply.fault->outcome, Outcome::timeout);
    EXPECT_EQ(reply.workload, "one");
}

TEST_F(RecorderTest, OfTwoFaultsThatOfTheEarlierWorkloadIsTold) {
    const auto with_condition = [&](const std::string& body) {
        // Workloads are "odd", of 3 rows, then "one".
        return record(launcher("const bool is_later = rows != 3;\n" + body, k_kernel), "all");
    };
    const RecordReply second = with_condition("if (is_later) abort();\nk<<<1, 32>>>(x, y, 1);");
    ASSERT_TRUE(second.fault);
    EXPECT_EQ(second.fault->outcome, Outcome::crash);
    EXPECT_EQ(second.workload, "one");
    EXPECT_TRUE(second.plans.empty());
    const RecordReply first = with_condition(
        "if (is_later) for (volatile int i = 0;;) i = 1;\n"
        "k<<<1 + ((size_t)x >> 6) % 7, 1>>>(x, y, 1);");
    ASSERT_TRUE(first.fault);
    EXPECT_EQ(first.fault->outcome, Outcome::rejected);
    EXPECT_EQ(first.workload, "odd");
    const RecordReply only_moved =
        with_condition("if (is_later && (size_t)x % 128 != 0) abort();\nk<<<1, 32>>>(x, y, 1);");
    ASSERT_TRUE(only_moved.fault);
    EXPECT_EQ(only_moved.fault->outcome, Outcome::crash);
    EXPECT_EQ(only_moved.workload, "one");
}

TEST_F(RecorderTest, HeadersOfTheHostMayBeUsed) {
    const Plan recorded =
        plan(launcher("std::vector<int> sizes{rows, cols};\n"
                      "k<<<std::max(1, sizes[0]), std::min(32, 64)>>>(x, y, "
                      "(int)std::ceil(2.5));",
                      "#include <algorithm>\n#include <cmath>\n#include "
                      "<vector>\n" +
                          std::string(k_kernel)));
    EXPECT_EQ(launch_of(recorded).grid, (PlanDim{64, 1, 1}));
    EXPECT_EQ(value_of<int>(launch_of(recorded).arguments[2]), 3);
}

TEST_F(RecorderTest, WhatAPlanCannotExpressIsRefusedWithItsLine) {
    for (const auto& [body, reason] : std::vector<std::pair<std::string, std::string>>{
             {"float v;\n cudaMemcpy(&v, x, 4, cudaMemcpyDeviceToHost);",
              "copies device memory to the host"},
             {"\ncudaEvent_t e; cudaEventCreate(&e);", "calls cudaEventCreate: events"},
             {"cudaStream_t s;\ncudaStreamCreate(&s);", "calls cudaStreamCreate: all work"},
             {"\ncudaMemsetAsync(y, 0, 4, (cudaStream_t)0x1234);", "another stream"},
             {"\nk<<<1, 1, 0, (cudaStream_t)0x1234>>>(x, y, 1);", "another stream"},
             {"void* p;\ncudaMallocManaged(&p, 4);", "calls cudaMallocManaged: a kernel works"},
             {"\ncudaLaunchHostFunc(stream, nullptr, nullptr);", "no host code runs"},
             {"cudaGraph_t g;\ncudaStreamBeginCapture(stream, 0);", "a plan is its own graph"},
             {"void* none[1];\ncudaLaunchKernel((void*)&::abs<int>, 1, 1, none);",
              "no kernel of this file"},
             {"float local;\ncudaMemset(&local, 0, 4);", "not the device's"},
             {"\nfor (int i = 0; i < 1000000; ++i) k<<<1, 1>>>(x, y, i);", "more than 4096"},
             {"int v;\ncudaDeviceGetAttribute(&v, (cudaDeviceAttr)13, 0);", "is not answered"},
         }) {
        const RecordFault refused =
            fault(launcher(body, std::string(k_kernel) + "\ntemplate <class T> void abs() {}"));
        EXPECT_EQ(refused.outcome, Outcome::rejected) << body << refused.reason;
        EXPECT_THAT(refused.reason, HasSubstr(reason));
        EXPECT_EQ(refused.line, 7u) << body;
    }
}

TEST_F(RecorderTest, WhatHangsOnAddressesIsRefused) {
    for (const auto& [body, reason] : std::vector<std::pair<std::string, std::string>>{
             {"k<<<1 + ((size_t)x >> 6) % 7, 1>>>(x, y, 1);", "the launch of _Z1kPKfPfi differs"},
             {"k<<<1, 1>>>(x, y, (int)((size_t)x >> 6));", "the last bytes of argument 3"},
             {"if ((size_t)x % 128 == 0) k<<<1, 1>>>(x, y, 1);", "only under some addresses"},
             {"k<<<1, 1>>>((float*)((size_t)x ^ (size_t)y), y, 1);", "bytes 0 to 7 of argument 1"},
             {"k<<<1, 1>>>(x + (y - x), y, 1);", ""},
         }) {
        if (reason.empty()) {
            EXPECT_EQ(target_of(launch_of(plan(launcher(body, k_kernel))).arguments[0]),
                      (PlanAddress{Buffer::output, 0, 0}));
            continue;
        }
        const RecordFault refused = fault(launcher(body, k_kernel));
        EXPECT_EQ(refused.outcome, Outcome::rejected);
        EXPECT_THAT(refused.reason, HasSubstr(reason)) << body;
        EXPECT_EQ(refused.line, 5u) << body;
    }
}

TEST_F(RecorderTest, PointersOutsideBuffersAreFaults) {
    EXPECT_THAT(fault(launcher("k<<<1, 1>>>(x - 3, y, 1);", k_kernel)).reason,
                HasSubstr("12 bytes before input 0"));
    const RecordReply beyond =
        record(launcher("k<<<1, 1>>>(x + rows * cols + 1, y, 1);", k_kernel));
    ASSERT_FALSE(beyond.fault);
    EXPECT_FALSE(check_plan(beyond.plans[0], *device_limits_of("sm_90a")));
}

TEST_F(RecorderTest, TricksOfALauncherEndInTheirOutcome) {
    const RecordFault loop =
        fault(launcher("cudaMemset(y, 0, 4);\nfor (volatile int i = 0;;) i = 1;"));
    EXPECT_EQ(loop.outcome, Outcome::timeout);
    EXPECT_THAT(loop.reason, HasSubstr("its last CUDA call was in line 3"));
    const RecordFault file =
        fault(launcher("FILE* f = fopen(\"/etc/passwd\", \"w\"); syscall(41, 1, 1, 0);",
                       "#include <vector>\n#include <cstdio>\n#include <unistd.h>"));
    EXPECT_EQ(file.outcome, Outcome::forbidden_call) << file.reason;
    const RecordFault touch = fault(launcher("y[0] = x[0];"));
    EXPECT_EQ(touch.outcome, Outcome::memory_fault);
    EXPECT_THAT(touch.reason, HasSubstr("device memory cannot be read or written by the host"));
    EXPECT_EQ(fault(launcher("abort();")).outcome, Outcome::crash);
    EXPECT_EQ(fault(launcher("exit(0);")).outcome, Outcome::crash);
    const RecordFault forged =
        fault(launcher("for (int i = 0; i < 4096; ++i) "
                       "atoll_recording::g_record[i] = (char)i;"));
    EXPECT_EQ(forged.outcome, Outcome::reward_hack) << forged.reason;
    const RecordFault early = fault(
        launcher("", "__global__ void k() {}\nstruct Early { Early() { k<<<1, 1>>>(); } } early;"));
    EXPECT_NE(early.outcome, Outcome::passed);
}

TEST_F(RecorderTest, ClocksMayBeReadAndChangeNothing) {
    const Plan recorded =
        plan(launcher("timespec t; clock_gettime(CLOCK_MONOTONIC, &t);\n"
                      "k<<<1, 32>>>(x, y, 1);",
                      "#include <ctime>\n" + std::string(k_kernel)));
    EXPECT_EQ(recorded.steps.size(), 1u);
    const RecordFault time =
        fault(launcher("timespec t; clock_gettime(CLOCK_MONOTONIC, &t);\n"
                       "k<<<1, 32>>>(x, y, (int)t.tv_nsec);",
                       "#include <ctime>\n" + std::string(k_kernel)));
    EXPECT_THAT(time.reason, HasSubstr("argument 3"));
}

TEST_F(RecorderTest, CompileErrorsNameTheCandidatesLine) {
    const RecordFault error = fault(launcher("int a = ;\n", k_kernel));
    EXPECT_EQ(error.outcome, Outcome::compile_error);
    EXPECT_EQ(error.line, 5u) << error.reason;
    EXPECT_THAT(error.reason, HasSubstr("candidate.cu:5"));
    const RecordReply signature = record("void launch(float* y) {}\n");
    ASSERT_TRUE(signature.fault);
    EXPECT_EQ(signature.fault->outcome, Outcome::compile_error);
    EXPECT_THAT(signature.compile_log, HasSubstr("required is: void launch("));
    const RecordReply none = record("__global__ void k() {}\n");
    ASSERT_TRUE(none.fault);
    EXPECT_THAT(none.compile_log, HasSubstr("required: void launch("));
    const RecordReply missing =
        record("int elsewhere(int);\n" + launcher("k<<<elsewhere(1), 1>>>(x, y, 1);", k_kernel));
    ASSERT_TRUE(missing.fault);
    EXPECT_EQ(missing.fault->outcome, Outcome::compile_error);
    EXPECT_EQ(missing.workload, "") << "it is not the workload's doing";
    EXPECT_THAT(missing.compile_log, HasSubstr("elsewhere"));
    // Files of the host are not there to be quoted.
    EXPECT_EQ(fault("#include \"/etc/passwd\"\n" + launcher("")).outcome, Outcome::compile_error);
}

// A tune value is a macro of the candidate alone: T names a type in the shim.
TEST_F(RecorderTest, TuneValuesDoNotReachTheShim) {
    const RecordReply reply = record(launcher("    kernel<<<T, 32, 0, stream>>>(y);",
                                              "__global__ void kernel(float* y) { *y = T; }"),
                                     "large", {}, {{"T", "8"}, {"word", "9"}});
    ASSERT_FALSE(reply.fault) << reply.fault->reason << reply.compile_log;
    EXPECT_EQ(launch_of(reply.plans.at(0)).grid, (PlanDim{8, 1, 1}));
}

}  // namespace
}  // namespace atl
