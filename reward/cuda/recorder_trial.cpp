#include "reward/cuda/recorder_trial.hpp"

#include "reward/cuda/recording_source.hpp"
#include "reward/cuda/source_split.hpp"

#include <utility>
#include <variant>

namespace atl {

namespace {

constexpr const char* k_source =
    "__global__ void copy(const float* x, float* y, int n) {}\n"
    "void launch(const float* x, float* y, int n, cudaStream_t stream) {\n"
    "    copy<<<(n + 127) / 128, 128, 0, stream>>>(x, y, n);\n"
    "}\n";

Task trial_task() {
    Task task;
    task.name = "trial";
    task.kind = "cuda";
    Axis axis;
    axis.name = "n";
    task.axes = {axis};
    TensorSpec tensor;
    tensor.shape = {"n"};
    tensor.name = "x";
    task.inputs = {tensor};
    tensor.name = "y";
    task.outputs = {tensor};
    Workload workload;
    workload.id = "trial";
    workload.axes = {{"n", 256}};
    task.workloads = {workload};
    return task;
}

bool is_right(const Plan& plan) {
    const auto* const launch =
        plan.steps.size() == 1 ? std::get_if<PlanLaunch>(&plan.steps[0].what) : nullptr;
    return launch != nullptr && launch->grid[0] == 2 && launch->block[0] == 128 &&
           launch->arguments.size() == 3;
}

}  // namespace

Status try_recorder(Recorder& recorder, const DeviceLimits& device) {
    const Task task = trial_task();
    RecordRequest request;
    request.task = &task;
    request.host_source = recording_source(task, split_cuda_source(k_source));
    request.workloads = {&task.workloads.front()};
    request.device = device;
    ATOLL_TRY_ASSIGN(const RecordReply reply, recorder.record(request));
    if (reply.fault && (reply.fault->outcome == Outcome::compile_limit ||
                        reply.fault->outcome == Outcome::timeout)) {
        return {};
    }
    if (reply.fault || reply.plans.size() != 1 || !is_right(reply.plans.front())) {
        return failure(ErrorCode::unavailable,
                       "the compiler of launchers does not record what it must: " +
                           (reply.fault ? reply.fault->reason : std::string("another launch")),
                       recorder.toolchain(), "install clang 14 or newer, or g++ 12 or newer");
    }
    return {};
}

}  // namespace atl
