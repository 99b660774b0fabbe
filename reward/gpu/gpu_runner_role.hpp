#pragma once

#include "reward/base/frame.hpp"
#include "reward/workers/worker_arguments.hpp"

namespace atl {

/// Life of a GPU runner: opens the device when asked to (gpu_start on `supervisor`), then answers
/// the calls of reward/gpu/runner_messages.hpp from `verifier` until either channel ends. Returns
/// the exit status.
[[nodiscard]] int serve_gpu_runner(const WorkerArguments& arguments, FrameChannel supervisor,
                                   FrameChannel verifier);

}  // namespace atl
