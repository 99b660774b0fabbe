#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/gpu/gpu_case_pool.hpp"
#include "reward/gpu/gpu_measure.hpp"
#include "reward/gpu/gpu_task.hpp"
#include "reward/gpu/runner_source.hpp"
#include "reward/verifier/messages.hpp"

#include <memory>
#include <span>

namespace atl {

/// A task with its cases, kept across candidates.
struct LoadedGpuTask {
    std::unique_ptr<GpuTask> task;
    GpuCasePool pool;

    [[nodiscard]] static Expected<LoadedGpuTask> create(TaskPtr task, bool with_hidden,
                                                        const FileHandle& oracle,
                                                        const GpuTools& tools);
};

/// The device stages of one order (smoke, verify, screen, measure; at Level::confirm with fresh
/// seeds, hidden workloads and rivals: `loaded` was made for that). `packages[0]` is the
/// candidate's GpuPackage, the others are the rivals'. Nothing that another candidate left in the
/// task's buffers is there when one begins. `best_anchors`: of this device so far; `device`: as it
/// is once the source says that the device is quiet. An error is a fault of ours. Used on the
/// thread of the Gpu.
[[nodiscard]] Expected<EvaluateReply> evaluate_on_gpu(
    LoadedGpuTask& loaded, const EvaluateOrder& order, std::span<const FileHandle> packages,
    RunnerSource& source, BestAnchors& best_anchors, const GpuDeviceFacts& device = {});

}  // namespace atl
