// The stages of a CUDA candidate that need no device, one after the other: what one part makes, the
// next one takes.

#include "reward/base/programs.hpp"
#include "reward/cuda/device_compiler.hpp"
#include "reward/cuda/kernel_names.hpp"
#include "reward/cuda/recorder.hpp"
#include "reward/cuda/recording_source.hpp"
#include "tests/unit/cuda/nvrtc_fixture.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string>

namespace atl {
namespace {

using ::testing::HasSubstr;

// y = alpha x + bias by rows, in two passes through scratch memory; a template, a constant, a
// constexpr function of both halves, dynamic shared memory and a header of CUDA.
constexpr const char* k_candidate = R"(#include <cstdio>
#include <cuda_fp16.h>

#ifndef BLOCK
#define BLOCK 128  // tune: 64, 128, 256
#endif

constexpr int k_most_blocks = 1024;
constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }

template <int THREADS>
__global__ void __launch_bounds__(THREADS) scale(const float* __restrict__ x, float* tmp,
                                                 float alpha, int n) {
    extern __shared__ float shared[];
    for (int i = blockIdx.x * THREADS + threadIdx.x; i < n; i += gridDim.x * THREADS) {
        shared[threadIdx.x] = x[i];
        tmp[i] = alpha * shared[threadIdx.x];
    }
}

extern "C" __global__ void add_bias(const float* tmp, const float* bias, float* y, int rows,
                                    int cols) {
    const int col = blockIdx.x * blockDim.x + threadIdx.x;
    if (col < cols && blockIdx.y < rows) {
        y[blockIdx.y * cols + col] = tmp[blockIdx.y * cols + col] + bias[col];
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    const int n = rows * cols;
    int blocks = ceil_div(n, BLOCK);
    if (blocks > k_most_blocks) blocks = k_most_blocks;
    float* tmp = nullptr;
    cudaMalloc(&tmp, n * sizeof(float));
    scale<BLOCK><<<blocks, BLOCK, BLOCK * sizeof(float), stream>>>(x, tmp, alpha, n);
    add_bias<<<dim3(ceil_div(cols, 64), rows), 64, 0, stream>>>(tmp, bias, y, rows, cols);
    cudaFree(tmp);
}
)";

class Pipeline : public testing::NvrtcTest {
  protected:
    void SetUp() override {
        NvrtcTest::SetUp();
        if (!IsSkipped() && find_programs("clang++").empty()) {
            ATOLL_SKIP_OR_FAIL("clang++ is not installed");
        }
    }

    RecordReply record(const SplitSource& split) {
        RecorderOptions options;
        options.required = SandboxLevel::none;
        options.worker_program = ATOLL_BIN_DIR "/atoll-worker";
        const auto recorder = value_or_throw(Recorder::create(options));
        RecordRequest request;
        request.task = m_task.get();
        request.host_source = recording_source(*m_task, split);
        for (const Workload& workload : m_task->workloads) {
            request.workloads.push_back(&workload);
        }
        request.device = m_device;
        return value_or_throw(recorder->record(request));
    }

    DeviceBinary compile(const SplitSource& split, const std::vector<Plan>& plans) {
        DeviceCompilerOptions options;
        options.nvrtc = place().library;
        options.include = place().include;
        options.architecture = m_device.arch;
        options.required = SandboxLevel::none;
        options.worker_program = ATOLL_BIN_DIR "/atoll-worker";
        const auto compiler = value_or_throw(DeviceCompiler::make(options));
        DeviceCompileRequest request;
        request.source = split.device;
        request.architecture = m_device.arch;
        request.timeout_s = 60;
        std::set<std::string> expressions;
        for (const Plan& plan : plans) {
            for (const PlanStep& step : plan.steps) {
                if (const auto* launch = std::get_if<PlanLaunch>(&step.what)) {
                    expressions.insert(name_expression_of(launch->kernel).value());
                }
            }
        }
        request.name_expressions = {expressions.begin(), expressions.end()};
        return value_or_throw(compiler->compile(request));
    }

    testing::SmallTask m_small;
    TaskPtr m_task = m_small.task();
    DeviceLimits m_device = *device_limits_of("sm_90a");
};

TEST_F(Pipeline, ACandidateBecomesPlansAndMachineCodeThatFitEachOther) {
    const SplitSource split = split_cuda_source(k_candidate);
    const RecordReply recorded = record(split);
    ASSERT_FALSE(recorded.fault) << recorded.fault->reason << recorded.compile_log;
    ASSERT_EQ(recorded.plans.size(), m_task->workloads.size());
    const DeviceBinary binary = compile(split, recorded.plans);
    ASSERT_EQ(binary.status, DeviceBinary::Status::ok) << binary.log;
    EXPECT_EQ(binary.kernels.size(), 2u);
    for (const Plan& plan : recorded.plans) {
        const Status fits = check_plan(plan, m_device, binary.kernels);
        EXPECT_TRUE(fits) << fits.error().message();
        EXPECT_EQ(plan.steps.size(), 2u);
        EXPECT_EQ(plan.scratch.size(), 1u);
    }
    Plan other = recorded.plans.front();
    std::get<PlanLaunch>(other.steps[0].what).arguments.pop_back();
    EXPECT_FALSE(check_plan(other, m_device, binary.kernels)) << "the cubin has four parameters";
}

TEST_F(Pipeline, AMistakeInAKernelIsShownInTheUsersLine) {
    std::string source = k_candidate;
    const std::size_t at = source.find("+ bias[col]");
    const auto line = 1 + std::count(source.begin(), source.begin() + static_cast<long>(at), '\n');
    source.replace(at, 11, "+ bia[col]");
    const SplitSource split = split_cuda_source(source);
    const RecordReply recorded = record(split);
    ASSERT_FALSE(recorded.fault) << "host code does not see what a kernel does";
    const DeviceBinary binary = compile(split, recorded.plans);
    EXPECT_EQ(binary.status, DeviceBinary::Status::error);
    EXPECT_THAT(binary.log,
                HasSubstr("candidate.cu(" + std::to_string(line) + "): error: identifier \"bia\""));
}

}  // namespace
}  // namespace atl
