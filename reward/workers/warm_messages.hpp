#pragma once

#include <cstdint>

namespace atl {

/// What the zygote and the library that it preloads into a compiler (warm_preload.cpp) say to each
/// other over a Unix socket of whole messages, which the compiler has as descriptor 3. Plain
/// records: both come of one build.
///
/// First, once, the zygote sends the system calls' filter for children, as struct sock_filter
/// (nothing: no filter). The answer is one WarmAnswer with the compiler's own pid. Then for each
/// compilation a WarmOrder with three handles: what to read, to write and the log. The answer holds
/// the child's pid, or a negative errno.
struct WarmOrder {
    std::uint64_t cpu_seconds = 0;
};

struct WarmAnswer {
    std::int64_t pid = 0;
};

inline constexpr int k_warm_fd = 3;
inline constexpr int k_warm_handles = 3;
inline constexpr int k_max_warm_filter = 4096;  ///< instructions, as the kernel has it
/// Stands for the child's own pid in the filter, as FilterBuilder::k_own_pid.
inline constexpr std::uint32_t k_warm_own_pid = 0x5eedf11e;
/// Exit status of a child that could not be confined.
inline constexpr int k_warm_not_confined = 126;

}  // namespace atl
