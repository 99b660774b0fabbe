#include "tests/support/temporary_folder.hpp"
#include "tests/unit/cuda/front_end_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <string>
#include <variant>

namespace atl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class FrontEnd : public testing::FrontEndTest {};

const PlanLaunch& first_launch(const FrontEndReply& reply) {
    return std::get<PlanLaunch>(reply.plans.at(0).second.steps.at(0).what);
}

TEST_F(FrontEnd, ACandidateBecomesMachineCodeAndAPlanForEachPublicWorkload) {
    const FrontEndReply reply = prepare(request(plain()));
    ASSERT_FALSE(reply.fault) << reply.reason << reply.log;
    EXPECT_EQ(reply.cubin.substr(1, 3), "ELF");
    ASSERT_EQ(reply.kernels.size(), 1u);
    std::set<std::string> workloads;
    for (const auto& [index, plan] : reply.plans) {
        workloads.insert(m_task->workloads[index].id);
        EXPECT_EQ(plan.steps.size(), 1u);
    }
    EXPECT_EQ(workloads, (std::set<std::string>{"odd", "one", "prime", "large"}));
    EXPECT_GT(reply.host_compile_seconds, 0);
    EXPECT_GT(reply.record_seconds, 0);
    EXPECT_FALSE(reply.cached);
    EXPECT_THAT(front_end().toolchain(), StartsWith("NVRTC"));
    EXPECT_THAT(front_end().toolchain(), HasSubstr("clang"));
    EXPECT_GT(front_end().seconds(), 0);
}

TEST_F(FrontEnd, HiddenWorkloadsAreRecordedWhenAskedFor) {
    FrontEndRequest order = request(plain());
    order.with_hidden = true;
    const FrontEndReply reply = prepare(order);
    ASSERT_FALSE(reply.fault) << reply.reason;
    EXPECT_EQ(reply.plans.size(), m_task->workloads.size());
}

TEST_F(FrontEnd, WhatWasPreparedIsKept) {
    FrontEndRequest order = request(plain() + "// kept\n");
    const FrontEndReply first = prepare(order);
    const FrontEndReply again = prepare(order);
    EXPECT_FALSE(first.cached);
    EXPECT_TRUE(again.cached);
    EXPECT_EQ(again.plans, first.plans);
    EXPECT_EQ(again.cubin, first.cubin);
    order.tune = {{"BLOCK", "64"}};
    const FrontEndReply other = prepare(order);
    EXPECT_FALSE(other.cached);
    EXPECT_EQ(first_launch(other).block, (PlanDim{64, 1, 1})) << "both halves see tune values";
}

TEST_F(FrontEnd, WhatNvccIncludesByItselfIsThereOnBothSides) {
    std::string text = plain();
    text.replace(text.find("alpha * x[i]"), 12,
                 "std::fmax(std::numeric_limits<float>::lowest(), alpha * x[i])");
    text.replace(text.find("rows * cols;"), 12,
                 "std::min(rows * cols, std::numeric_limits<int>::max());");
    const FrontEndReply reply = prepare(request(text));
    EXPECT_FALSE(reply.fault) << reply.reason << reply.log;
}

TEST_F(FrontEnd, KernelsAndLaunchersThatMacrosDefine) {
    const FrontEndReply reply = prepare(
        request(source("#include <cub/cub.cuh>\n#include <vector>\n"
                       "#define SCALE(NAME, T) \\\n"
                       "    __global__ void NAME##_kernel(const T* x, T* y, int n) { \\\n"
                       "        const int i = blockIdx.x * 128 + threadIdx.x; \\\n"
                       "        if (i < n) y[i] = __shfl_xor_sync(~0u, fmaxf(x[i], 0), 1); } \\\n"
                       "    static void NAME(const T* x, T* y, int n, cudaStream_t s) { \\\n"
                       "        std::vector<int> sizes{n}; \\\n"
                       "        NAME##_kernel<<<(n + 127) / 128, 128, 0, s>>>(x, y, sizes[0]); }\n"
                       "SCALE(scale, float)",
                       "    scale(x, y, rows * cols, stream);")));
    ASSERT_FALSE(reply.fault) << reply.reason << reply.log;
    EXPECT_EQ(first_launch(reply).block, (PlanDim{128, 1, 1}));
}

TEST_F(FrontEnd, AReferenceHasOutputsOfDouble) {
    FrontEndRequest order = request(reference());
    order.reference = true;
    const FrontEndReply reply = prepare(order);
    ASSERT_FALSE(reply.fault) << reply.reason << reply.log;
    const auto& [index, plan] = reply.plans.front();
    const Workload& workload = m_task->workloads[index];
    EXPECT_EQ(plan.outputs.front(),
              8u * static_cast<std::uint64_t>(workload.axes.at("rows") * workload.axes.at("cols")));
}

TEST_F(FrontEnd, AReferencesMistakeIsShownInItsOwnFile) {
    std::string text = reference();
    text.replace(text.find("alpha * x[i]"), 5, "alpho");
    FrontEndRequest order = request(text);
    order.reference = true;
    const FrontEndReply reply = prepare(order);
    EXPECT_EQ(reply.fault, Outcome::compile_error);
    EXPECT_THAT(reply.reason, HasSubstr("reference.cu(6): error"));
}

TEST_F(FrontEnd, AMistakeInAKernelAndOneInTheLauncherAreShownInTheUsersLines) {
    std::string text = plain();
    text.replace(text.find("alpha * x[i]"), 5, "alpho");
    FrontEndReply reply = prepare(request(text));
    EXPECT_EQ(reply.fault, Outcome::compile_error);
    EXPECT_THAT(reply.reason, StartsWith("does not compile: candidate.cu(6): error"));
    EXPECT_THAT(reply.log, HasSubstr("alpho"));
    text = plain();
    text.replace(text.find("rows * cols"), 4, "rose");
    reply = prepare(request(text));
    EXPECT_EQ(reply.fault, Outcome::compile_error);
    EXPECT_THAT(reply.reason, StartsWith("does not compile: candidate.cu:9:"));
    EXPECT_THAT(reply.log, HasSubstr("rose"));
}

TEST_F(FrontEnd, AFaultOfTheLauncherNamesItsLineAndWorkload) {
    const FrontEndReply reply = prepare(request(source(
        plain_kernel(), "    if (rows == 7) cudaStreamCreate(&stream);\n" + plain_launch())));
    EXPECT_EQ(reply.fault, Outcome::rejected);
    EXPECT_THAT(reply.reason, StartsWith("line 9: "));
    EXPECT_THAT(reply.reason, HasSubstr("cudaStreamCreate"));
    EXPECT_THAT(reply.reason, HasSubstr("(workload prime)"));
    EXPECT_TRUE(reply.plans.empty());
}

TEST_F(FrontEnd, WhatTheDeviceCannotDoIsRefusedWithTheWorkload) {
    const FrontEndReply reply =
        prepare(request(source(plain_kernel(),
                               "    scale<<<1, rows == 7 ? 2048 : 32, 0, stream>>>(x, bias, "
                               "alpha, y, rows * cols, cols);")));
    EXPECT_EQ(reply.fault, Outcome::rejected);
    EXPECT_THAT(reply.reason, HasSubstr("2048"));
    EXPECT_THAT(reply.reason, HasSubstr("(workload prime)"));
}

TEST_F(FrontEnd, HiddenWorkloadsAreNotNamedNorTheirShapes) {
    for (const std::string& on_secret :
         {std::string("    if (rows == 5) cudaStreamCreate(&stream);\n") + plain_launch(),
          std::string("    scale<<<1, rows == 5 ? 1000 + cols * 3 : 32, 0, stream>>>(x, bias, "
                      "alpha, y, rows * cols, cols);")}) {
        FrontEndRequest order = request(source(plain_kernel(), on_secret));
        EXPECT_FALSE(prepare(order).fault);
        order.with_hidden = true;
        const FrontEndReply reply = prepare(order);
        EXPECT_EQ(reply.fault, Outcome::rejected);
        EXPECT_THAT(reply.reason, HasSubstr("a hidden workload"));
        EXPECT_THAT(reply.reason, Not(HasSubstr("secret")));
        EXPECT_EQ(reply.reason.find_first_of("0123456789"), std::string::npos) << reply.reason;
    }
}

TEST_F(FrontEnd, KernelsThatTheTwoCompilersNameDifferentlyAreFound) {
    const FrontEndReply reply = prepare(request(source(
        "#include <cstdint>\n"
        "template <int THREADS>\n"
        "__global__ void scale(const float* x, float* y, int64_t n) {\n"
        "    const int64_t i = int64_t(blockIdx.x) * THREADS + threadIdx.x;\n"
        "    if (i < n) y[i] = x[i];\n"
        "}\n"
        "extern \"C\" __global__ void clear(float* y) { y[0] = 0; }\n",
        "    clear<<<1, 1, 0, stream>>>(y);\n"
        "    const int64_t n = int64_t(rows) * cols;\n"
        "    cudaFuncSetAttribute(scale<64>, cudaFuncAttributeMaxDynamicSharedMemorySize, 65536);\n"
        "    scale<64><<<(n + 63) / 64, 64, 65536, stream>>>(x, y, n);")));
    ASSERT_FALSE(reply.fault) << reply.reason << reply.log;
    const Plan& plan = reply.plans.front().second;
    EXPECT_EQ(std::get<PlanLaunch>(plan.steps[0].what).kernel, "clear");
    const std::string linked = std::get<PlanLaunch>(plan.steps[1].what).kernel;
    EXPECT_TRUE(std::any_of(reply.kernels.begin(), reply.kernels.end(),
                            [&](const KernelFacts& kernel) { return kernel.name == linked; }))
        << linked;
    ASSERT_EQ(plan.settings.size(), 1u);
    EXPECT_EQ(plan.settings[0].kernel, linked);
}

TEST_F(FrontEnd, OccupancyIsThatOfTheCompiledKernel) {
    // Of 40 KiB of static shared memory only five fit beside each other; of the 64 registers that
    // stand in for an unknown kernel, eight blocks of 128 threads do.
    const FrontEndReply reply = prepare(request(source(
        "template <class T>\n"
        "__global__ void scale(const float* x, const float* bias, float alpha, float* y, T n) {\n"
        "    __shared__ float all[10240];\n"
        "    for (int i = threadIdx.x; i < 10240; i += blockDim.x) all[i] = x[i % n];\n"
        "    __syncthreads();\n"
        "    for (T i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * "
        "blockDim.x)\n"
        "        y[i] = alpha * all[(i * 7) % 10240] + bias[0];\n"
        "}\n",
        "    int blocks = 0;\n"
        "    cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, scale<int64_t>, 128, 0);\n"
        "    scale<int64_t><<<blocks, 128, 0, stream>>>(x, bias, alpha, y, int64_t(rows) * "
        "cols);")));
    ASSERT_FALSE(reply.fault) << reply.reason << reply.log;
    EXPECT_EQ(first_launch(reply).grid[0], 5u);
}

// Of so many KiB of static shared memory fewer fit beside each other than of what is not known yet.
std::string kernels_of_sizes() {
    return "template <int KIB>\n"
           "__global__ void scale(const float* x, float* y) {\n"
           "    __shared__ float all[KIB * 256];\n"
           "    for (int i = threadIdx.x; i < KIB * 256; i += 32) all[i] = x[0] + i;\n"
           "    __syncthreads();\n"
           "    y[0] = all[int(x[0]) & 255];\n"
           "}\n"
           "template <int KIB> int fit() {\n"
           "    int blocks = 0;\n"
           "    cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, scale<KIB>, 32, 0);\n"
           "    return blocks;\n"
           "}\n";
}

TEST_F(FrontEnd, ALauncherMayChooseAmongKernelsByTheirOccupancy) {
    const FrontEndReply reply = prepare(
        request(source(kernels_of_sizes(),
                       "    if (fit<40>() >= fit<46>()) scale<40><<<1, 32, 0, stream>>>(x, y);\n"
                       "    else scale<46><<<1, 32, 0, stream>>>(x, y);")));
    ASSERT_FALSE(reply.fault) << reply.reason << reply.log;
    EXPECT_THAT(first_launch(reply).kernel, HasSubstr("Li40"));
}

TEST_F(FrontEnd, ALauncherThatAlwaysChoosesAnotherKernelIsRefused) {
    const FrontEndReply reply = prepare(
        request(source(kernels_of_sizes(),
                       "    if (fit<40>() > 8) scale<40><<<1, 32, 0, stream>>>(x, y);\n"
                       "    else if (fit<41>() > 8) scale<41><<<1, 32, 0, stream>>>(x, y);\n"
                       "    else if (fit<42>() > 8) scale<42><<<1, 32, 0, stream>>>(x, y);\n"
                       "    else scale<43><<<1, 32, 0, stream>>>(x, y);")));
    EXPECT_EQ(reply.fault, Outcome::rejected);
    EXPECT_THAT(reply.reason, HasSubstr("chooses another kernel"));
}

TEST_F(FrontEnd, OverloadedKernelsAreRefusedByName) {
    const FrontEndReply reply = prepare(request(
        source("__global__ void put(float* y, float v) { y[0] = v; }\n"
               "__global__ void put(float* y, int v) { y[0] = v; }\n",
               "    put<<<1, 1, 0, stream>>>(y, 1.0f);\n    put<<<1, 1, 0, stream>>>(y, 1);")));
    EXPECT_EQ(reply.fault, Outcome::rejected);
    EXPECT_THAT(reply.reason, HasSubstr("kernel put is overloaded"));
}

TEST_F(FrontEnd, KernelsThatAreLeftOutOrNotLaunchedAreNoMistake) {
    // NVRTC is asked ahead for what the text names, and again for what the launcher launches.
    const FrontEndReply left_out = prepare(
        request("#if 0\n__global__ void old(float* y) { y[0] = undefined; }\n#endif\n" + plain()));
    ASSERT_FALSE(left_out.fault) << left_out.reason << left_out.log;
    EXPECT_EQ(first_launch(left_out).kernel, left_out.kernels.at(0).name);
    const FrontEndReply idle =
        prepare(request("__global__ void idle(float* y) { y[0] = 1; }\n" + plain()));
    ASSERT_FALSE(idle.fault) << idle.reason << idle.log;
    EXPECT_THAT(first_launch(idle).kernel, HasSubstr("scale"));
}

TEST_F(FrontEnd, TwoThreadsAtOnceEachGetTheirOwnAndShareWhatIsEqual) {
    const auto other = [&](const std::string& text) {
        return std::async(std::launch::async, [this, text] { return prepare(request(text)); });
    };
    auto first = other(plain() + "// one\n");
    auto second = other(plain() + "// two\n");
    auto same = other(plain() + "// two\n");
    EXPECT_FALSE(first.get().fault);
    EXPECT_NE(second.get().cached, same.get().cached);
}

// Else every candidate would have a compile error.
TEST_F(FrontEnd, StartsWithNoCompilerThatCannotRecord) {
    const testing::TemporaryFolder folder;
    const std::filesystem::path compiler = folder.path() / "bin/g++";
    std::filesystem::create_directories(compiler.parent_path());
    std::ofstream(compiler) << "#!/bin/sh\nexec /usr/bin/g++ \"$@\" -std=c++98\n";
    for (const std::filesystem::path& path : {compiler, folder.path()}) {
        std::filesystem::permissions(path, std::filesystem::perms(0755));
    }
    FrontEndOptions with_it = options();
    with_it.recorder.compiler = compiler.string();
    const auto made = CudaFrontEnd::make(std::move(with_it));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::unavailable);
    EXPECT_THAT(made.error().message(), HasSubstr("launchers"));
}

TEST_F(FrontEnd, ACancelledRequestIsNoVerdict) {
    std::stop_source stop;
    stop.request_stop();
    FrontEndRequest order = request(plain() + "// cancelled\n");
    order.cancel = stop.get_token();
    const auto reply = front_end().prepare(order);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::interrupted);
    order.cancel = {};
    EXPECT_FALSE(prepare(order).fault) << "the next one makes it";
}

/// A folder that looks like CUTLASS and holds one header of it.
TEST_F(FrontEnd, CutlassMayBeIncludedWhereItIsConfigured) {
    const testing::TemporaryFolder folder;
    // The compiler's jail has another user.
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
    testing::write_text(folder.path() / "cutlass" / "version.h", "#define CUTLASS_MAJOR 4\n");
    testing::write_text(
        folder.path() / "cute" / "scale.hpp",
        "#pragma once\nnamespace cute { __device__ inline float twice(float x) { return 2 * "
        "x; } }\n");
    std::string text = "#include <cute/scale.hpp>\n" + plain();
    text.replace(text.find("alpha * x[i]"), 12, "cute::twice(x[i])");
    const FrontEndReply without = prepare(request(text));
    EXPECT_EQ(without.fault, Outcome::compile_error);
    EXPECT_NE(without.reason.find("CUTLASS is configured"), std::string::npos) << without.reason;
    FrontEndOptions with = options();
    with.device_compiler.cutlass = folder.path();
    with.device_compiler.cutlass_version = "4.0.0";
    const auto front_end = value_or_throw(CudaFrontEnd::make(with));
    const FrontEndReply reply = value_or_throw(front_end->prepare(request(text)));
    EXPECT_FALSE(reply.fault) << reply.reason << reply.log;
    EXPECT_NE(front_end->toolchain().find("CUTLASS 4.0.0"), std::string::npos);
}

}  // namespace
}  // namespace atl
