#pragma once

#include "reward/base/frame.hpp"
#include "reward/workers/worker_arguments.hpp"

namespace atl {

/// The runner role: loads what candidates depend on, forks an un-jailed zygote for trusted
/// binaries, closes the jail, says `ready` to the supervisor and serves the verifier's start_run
/// frames. A candidate's process sees an empty root (its own shared object lies there while it
/// runs), /dev/null as its standard streams, no environment and no /proc; shared objects are put
/// on the jail's private tmpfs to be loaded, because loading a memfd would need /proc. At level
/// restricted there is no such tmpfs: they are loaded through /proc/self/fd, and Landlock closes
/// the file system. Returns the exit status.
[[nodiscard]] int serve_runner(const WorkerArguments& arguments, FrameChannel supervisor,
                               FrameChannel verifier);

}  // namespace atl
