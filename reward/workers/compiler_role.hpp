#pragma once

#include "reward/base/frame.hpp"
#include "reward/workers/worker_arguments.hpp"

namespace atl {

/// The compiler role: closes a jail in which only the compiler, its headers and libraries can be
/// seen (read-only), says `ready`, and serves compile frames. Each compilation works in a tmpfs of
/// its own, as an unprivileged user without capabilities, under rlimits and a filter. At level
/// restricted the tmpfs is a folder below the system's temporary folder and Landlock hides the
/// rest of the file system. Returns the exit status.
[[nodiscard]] int serve_compiler(const WorkerArguments& arguments, FrameChannel supervisor);

}  // namespace atl
