#pragma once

#include "reward/base/error.hpp"

#include <type_traits>
#include <utility>

namespace atl {

/// What `atoll` returns to the shell. Documented in tools/README.md.
inline constexpr int k_exit_ok = 0;
inline constexpr int k_exit_failed = 1;          ///< a candidate or a check failed
inline constexpr int k_exit_usage = 2;           ///< bad arguments, config, task or file
inline constexpr int k_exit_infrastructure = 3;  ///< a fault of ours: no worker, no compiler, disk
inline constexpr int k_exit_interrupted = 130;   ///< stopped by a signal; resume goes on

/// The status of a command that ends with this error: what the user gave (a path, a name, a file's
/// content) is usage, what the machine did is infrastructure.
[[nodiscard]] int exit_status_of(const Error& error);

/// Ends the command with the error's message and its status.
[[noreturn]] void end_with(const Error& error);

/// Unwraps, or ends the command so.
template <class T>
T value_or_end(Expected<T> expected) {
    if (!expected) {
        end_with(expected.error());
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*expected);
    }
}

}  // namespace atl
