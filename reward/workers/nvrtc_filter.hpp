#pragma once

#include "reward/base/jail_filter.hpp"

namespace atl {

/// The system calls that NVRTC makes while it compiles: memory, plain files, clocks. No threads, no
/// processes, no programs, no sockets; anything else is "not implemented". Put it on with
/// SyscallFilter::apply_for_own_pid(): a process may abort itself and signal nobody.
[[nodiscard]] Expected<SyscallFilter> make_nvrtc_filter();

}  // namespace atl
