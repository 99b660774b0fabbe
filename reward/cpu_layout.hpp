#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace atl {

/// Which cores measure and which do everything else.
struct CpuLayout {
    std::vector<std::vector<int>> devices;  ///< cores of each device, ascending
    std::vector<int> host;                  ///< compilers and our threads
    bool shared = false;  ///< host and the only device have the same cores: they take turns
};

/// The cores this process may run on (its affinity mask), ascending.
[[nodiscard]] std::vector<int> allowed_cores();

/// Gives the highest-numbered cores to the devices (the kernel's own work gathers on the lowest).
/// One device may have all of them: then they are shared. Errors: invalid_argument when there are
/// too few cores.
[[nodiscard]] Expected<CpuLayout> lay_out_cores(const std::vector<int>& allowed, int devices,
                                                int cores_per_device);

/// A GPU measures without the host's cores, but waits for its processes between launches, and those
/// wait for a core where compilers have them all (3 to 6 ms a candidate, seen on 16 cores): the
/// verifier and the runner of each, which take turns, and a spare that may be starting have three,
/// unless fewer than three times as many would remain for the host. Then no device has any, and all
/// run anywhere.
[[nodiscard]] CpuLayout lay_out_gpu_cores(const std::vector<int>& allowed, std::size_t gpus);

/// The same of those cores that no process of Atoll's has claimed, with claims on what the GPUs
/// got.
struct GpuCores {
    CpuLayout layout;
    std::vector<FileHandle> claims;  ///< they last as long as these, or the process
};
/// A claim is a name of an abstract Unix socket: processes in other network namespaces do not see
/// it.
[[nodiscard]] GpuCores claim_gpu_cores(std::vector<int> allowed, std::size_t gpus);

/// "AMD EPYC 7B13" from /proc/cpuinfo; "unknown CPU" where it does not tell.
[[nodiscard]] std::string cpu_model();

/// "1", "2-3".
[[nodiscard]] std::string core_list(const std::vector<int>& cores);

}  // namespace atl
