#pragma once

#include "reward/base/jail_filter.hpp"

namespace atl {

/// The system calls of a compiler and the programs it starts: files, memory, processes, pipes.
/// What reaches beyond the jail (sockets, tracing, mounts, keys, kernel programs) kills the
/// process; anything else unknown is "not implemented", since compilers differ and probe.
[[nodiscard]] Expected<SyscallFilter> make_compile_filter();

/// Those of one compilation in a warm compiler (warm_compiler.hpp), which reads files and writes to
/// the descriptors that it was given: it opens nothing for writing and starts no process. Threads
/// it may have.
[[nodiscard]] Expected<SyscallFilter> make_warm_filter();

}  // namespace atl
