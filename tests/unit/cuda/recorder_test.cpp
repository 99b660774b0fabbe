// What plans say of launchers.

#include "tests/unit/cuda/recorder_fixture.hpp"

namespace atl {
namespace {

using ::testing::HasSubstr;
using testing::k_kernel;
using testing::RecorderTest;
using Buffer = PlanAddress::Buffer;

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

TEST_F(RecorderTest, PointersInPackedStructsAreFoundWhereverTheyLie) {
    const Plan recorded = plan(launcher(
        "A a{rows, x, y};\n B b{'b', bias, 7, y + 1, 9, x};\n k<<<1, 32>>>(a, b);",
        "struct __attribute__((packed)) A { int n; const float* x; float* y; };\n"
        "struct __attribute__((packed)) B { char c; const float* b; short s; float* y; int i; "
        "const float* x; };\n"
        "__global__ void k(const A a, const B b) {}"));
    const PlanLaunch launch = launch_of(recorded);
    const PlanData& a = launch.arguments[0];
    ASSERT_EQ(a.pointers.size(), 2u);
    EXPECT_EQ(a.pointers[0], (PlanRelocation{4, {Buffer::input, 0, 0}}));
    EXPECT_EQ(a.pointers[1], (PlanRelocation{12, {Buffer::output, 0, 0}}));
    EXPECT_EQ(a.bytes[0], 64) << "rows";
    const PlanData& b = launch.arguments[1];
    ASSERT_EQ(b.pointers.size(), 3u);
    EXPECT_EQ(b.pointers[0], (PlanRelocation{1, {Buffer::input, 1, 0}}));
    EXPECT_EQ(b.pointers[1], (PlanRelocation{11, {Buffer::output, 0, 4}}));
    EXPECT_EQ(b.pointers[2], (PlanRelocation{23, {Buffer::input, 0, 0}}));
    EXPECT_EQ(b.bytes[0], 'b');
    EXPECT_EQ(b.bytes[9], 7);
    EXPECT_EQ(b.bytes[19], 9);
}

TEST_F(RecorderTest, TwoDimensionalCopiesWithoutGapsArePlainOnes) {
    const Plan recorded = plan(launcher(
        "cudaMemset2DAsync(y, cols * 4, 1, cols * 4, rows, stream);\n"
        "cudaMemset2D(y, 4096, 2, 8, 1);\n"
        "cudaMemcpy2DAsync(y, cols * 4, x, cols * 4, cols * 4, rows, cudaMemcpyDeviceToDevice, "
        "stream);\n"
        "cudaMemcpy2D(y, 64, x, 64, 64, 3, cudaMemcpyDeviceToDevice);"));
    ASSERT_EQ(recorded.steps.size(), 4u);
    EXPECT_EQ(std::get<PlanMemset>(recorded.steps[0].what).bytes, 64u * 256 * 4);
    EXPECT_EQ(std::get<PlanMemset>(recorded.steps[1].what).bytes, 8u);
    EXPECT_EQ(std::get<PlanCopy>(recorded.steps[2].what).bytes, 64u * 256 * 4);
    EXPECT_EQ(std::get<PlanCopy>(recorded.steps[3].what).bytes, 192u);
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

}  // namespace
}  // namespace atl
