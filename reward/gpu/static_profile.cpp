#include "reward/gpu/static_profile.hpp"

#include "reward/cuda/kernel_footprint.hpp"
#include "reward/gpu/gpu_peaks.hpp"
#include "reward/verifier/light.hpp"

#include <algorithm>
#include <numeric>

namespace atl {

namespace {

double bytes_of(const Plan& plan) {
    const auto sum = [](const std::vector<std::uint64_t>& sizes) {
        return std::accumulate(sizes.begin(), sizes.end(), 0.0);
    };
    return sum(plan.inputs) + sum(plan.outputs);
}

/// Types that tensor cores multiply as they are: float32 would be rounded.
bool has_tensor_types(const Task& task) {
    return std::any_of(task.inputs.begin(), task.inputs.end(), [](const TensorSpec& input) {
        return !input.scalar && (input.dtype == DType::f16 || input.dtype == DType::bf16 ||
                                 input.dtype == DType::i8 || input.dtype == DType::u8 ||
                                 input.dtype == DType::f8e4m3);
    });
}

Status add_roofs(const TaskPtr& task, const Workload& workload, const DeviceLimits& device,
                 ProfileReport& report) {
    ATOLL_TRY_ASSIGN(const TaskLayout layout, TaskLayout::create(task, false));
    const GpuPeaks peaks = gpu_peaks_of(device);
    EvaluateOrder order;
    order.peak_flops = peak_flops_for(peaks, *task);
    order.peak_bandwidth = peaks.bandwidth;
    for (const BoundWorkload& bound : layout.workloads()) {
        if (bound.workload == &workload) {
            ATOLL_TRY_ASSIGN(const SpeedOfLight light, speed_of_light(layout, bound, order));
            report.memory_ns = light.memory_ns;
            report.compute_ns = light.compute_ns;
        }
    }
    return {};
}

}  // namespace

std::optional<std::size_t> profiled_workload(const Task& task,
                                             std::span<const std::pair<std::size_t, Plan>> plans) {
    std::optional<std::size_t> best;
    bool best_timed = false;
    double best_bytes = 0;
    for (const auto& [index, plan] : plans) {
        const Workload& workload = task.workloads[index];
        const bool timed = workload.use == Workload::Use::measure;
        const bool better =
            !best || (timed && !best_timed) || (timed == best_timed && bytes_of(plan) > best_bytes);
        if (!workload.hidden && better) {
            best = index;
            best_timed = timed;
            best_bytes = bytes_of(plan);
        }
    }
    return best;
}

Expected<std::optional<ProfileReport>> static_profile(const TaskPtr& task,
                                                      const FrontEndReply& program,
                                                      const DeviceLimits& device) {
    const std::optional<std::size_t> workload = profiled_workload(*task, program.plans);
    if (!workload) {
        return std::optional<ProfileReport>();
    }
    const auto plan = std::find_if(program.plans.begin(), program.plans.end(),
                                   [&](const auto& entry) { return entry.first == *workload; });
    ProfileReport report;
    report.workload = task->workloads[*workload].id;
    report.tensor_types = has_tensor_types(*task);
    report.kernels = footprints_of(plan->second, program.kernels, device);
    ATOLL_TRY(add_roofs(task, task->workloads[*workload], device, report));
    return std::optional(std::move(report));
}

}  // namespace atl
