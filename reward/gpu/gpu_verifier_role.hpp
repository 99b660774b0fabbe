#pragma once

#include "reward/base/frame.hpp"
#include "reward/workers/worker_arguments.hpp"

namespace atl {

/// Life of a GPU's verifier: opens the device when asked to (gpu_start on `supervisor`), then
/// answers load_task and evaluate frames as a CPU's verifier does. `runner` is the channel to its
/// first runner; new_runner frames bring others. Returns the exit status.
[[nodiscard]] int serve_gpu_verifier(const WorkerArguments& arguments, FrameChannel supervisor,
                                     FrameChannel runner);

}  // namespace atl
