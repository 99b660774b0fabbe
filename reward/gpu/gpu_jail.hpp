#pragma once

#include "reward/base/error.hpp"
#include "reward/base/jail_filter.hpp"
#include "reward/base/sandbox.hpp"

#include <string>
#include <vector>

namespace atl {

/// The jail of a process that holds a GPU, as far as CUDA's driver tolerates one (tried on an H200,
/// reward/gpu/README.md "Jail"). In two steps, because the driver is opened in between: it needs
/// files then, and none later.

/// Who is jailed. A runner loads machine code that candidates made; a verifier reads the folders of
/// tasks, whenever it meets one.
enum class GpuRole { runner, verifier };

struct GpuJail {
    SandboxLevel level = SandboxLevel::none;  ///< restricted: Landlock and a filter are on
    std::vector<std::string> layers;          ///< for people, e.g. "Landlock ABI 7", "seccomp"
};

/// Before the driver is loaded, on the process's only thread: no new privileges, no dumps, no
/// network where that is permitted. What the machine lacks is left out and not named in `layers`;
/// an error is a failure of what it has.
[[nodiscard]] Status enter_gpu_jail(GpuJail& jail);

/// Once the device is open and CUPTI runs: of the file system reading and the GPU's devices only
/// (Landlock, for the calling thread; the driver cannot be opened behind it), and the filter of
/// gpu_filter(), for every thread. Leaves the level at none where there is no seccomp or no
/// Landlock.
[[nodiscard]] Status close_gpu_jail(GpuRole role, GpuJail& jail);

/// What a process may still ask of the kernel once its device is open; all else fails with "not
/// implemented", what attacks are made of with "not permitted". An ioctl() is allowed by its
/// number, NVIDIA's own alone.
[[nodiscard]] Expected<SyscallFilter> gpu_filter(GpuRole role);

}  // namespace atl
