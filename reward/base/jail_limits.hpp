#pragma once

#include "reward/base/error.hpp"

#include <cstdint>
#include <optional>

namespace atl {

/// Resource limits of a jailed process (setrlimit(2)); absent: unchanged. Core dumps are always
/// off. The values are hard limits, so the process cannot raise them again.
struct JailLimits {
    std::optional<std::uint64_t> address_space_bytes;
    /// SIGXCPU at this many seconds, SIGKILL one second later.
    std::optional<std::uint64_t> cpu_seconds;
    std::optional<std::uint64_t> file_bytes;
    std::optional<std::uint64_t> open_files;
    /// Processes and threads of the user, counted per user namespace. Not obeyed by root.
    std::optional<std::uint64_t> processes;
};

[[nodiscard]] Status apply_limits(const JailLimits& limits);

/// Gives up what lets a process gain or show privileges: no_new_privs on, dumpable off.
[[nodiscard]] Status drop_privilege_paths();

/// Becomes an unprivileged user (65534) for good, when running as root: root ignores the limit on
/// processes. Does nothing for other users.
[[nodiscard]] Status leave_root_user();

/// Points standard input, output and error at /dev/null: what runs here must not print into the
/// output of the program that started it.
[[nodiscard]] Status silence_standard_streams();

/// Asks for SIGKILL when the parent (thread) dies; fails if `parent` is dead already.
[[nodiscard]] Status die_with_parent(int parent);

}  // namespace atl
