#pragma once

#include "reward/base/frame.hpp"
#include "reward/workers/worker_arguments.hpp"

namespace atl {

/// Life of a GPU's verifier: opens the device when asked to (gpu_start), then answers load_task and
/// evaluate frames as a CPU's verifier does. While it works on one it may ask back on the same
/// channel: new_runner (answered with the handle of a channel to a runner whose device is open; the
/// one before is not used any more) and may_measure (answered when no runner is starting). Returns
/// the exit status.
[[nodiscard]] int serve_gpu_verifier(const WorkerArguments& arguments, FrameChannel supervisor);

}  // namespace atl
