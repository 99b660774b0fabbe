#pragma once

#include "reward/base/files.hpp"
#include "reward/workers/messages.hpp"
#include "reward/workers/run_filters.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace atl {

/// Everything a candidate's process needs from the zygote that forks it.
struct RunPlan {
    StartRun order;
    std::vector<FileHandle> handles;  ///< as in the start_run frame
    /// Path of the shared object in the jail; empty: the handle is loaded through /proc/self/fd.
    std::string binary_path;
    const RunFilters* filters = nullptr;    ///< null: not filtered
    std::uint64_t address_space_bytes = 0;  ///< of the zygote
    std::uint64_t max_processes = 0;        ///< RLIMIT_NPROC; 0: unlimited
};

/// Checks handles and sizes, so that the child's mappings cannot fail for a reason of ours.
[[nodiscard]] Status check_run_plan(const RunPlan& plan);

/// The life of a candidate's process after fork: map, close, limit, load, launch on command until
/// killed. A fault of ours is written to `fault_pipe` before the candidate's code can run; an end
/// of file there means that from now on everything is the candidate's doing.
[[noreturn]] void run_candidate(const RunPlan& plan, FileHandle fault_pipe);

/// Bytes of unmapped space on either side of every mapping.
inline constexpr std::uint64_t k_guard_bytes = 1 << 20;

}  // namespace atl
