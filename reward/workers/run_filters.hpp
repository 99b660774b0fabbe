#pragma once

#include "reward/base/jail_filter.hpp"

namespace atl {

/// The system calls of a candidate's process. `load` is in force while its shared object is loaded
/// (constructors run then): files of the root can be opened for reading, and the root is empty.
/// `run` comes on top before the first launch: memory, threads, clocks, and no files at all.
/// Everything else is not carried out and ends the process with SIGSYS, except calls that ordinary
/// library code makes in passing and can do without, which fail with an errno.
struct RunFilters {
    SyscallFilter load;
    SyscallFilter run;
};

[[nodiscard]] Expected<RunFilters> make_run_filters();

}  // namespace atl
