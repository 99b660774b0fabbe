#pragma once

#include "reward/base/frame.hpp"
#include "reward/workers/worker_arguments.hpp"

namespace atl {

/// The NVRTC role: loads NVRTC and precompiles its header bundles (some seconds), closes a jail in
/// which only the include folders and the precompiled headers can be seen (read-only), says
/// `ready`, and serves compile frames, each in a child of its own under limits and a filter. The
/// precompiled headers take 0.4 GiB in the system's temporary folder. Returns the exit status.
[[nodiscard]] int serve_nvrtc(const WorkerArguments& arguments, FrameChannel supervisor);

}  // namespace atl
