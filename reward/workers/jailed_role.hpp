#pragma once

#include "reward/base/frame.hpp"
#include "reward/base/jail_landlock.hpp"
#include "reward/base/jail_root.hpp"
#include "reward/base/sandbox.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace atl {

/// What a jailed role still sees of the file system, at either level.
struct JailView {
    JailRoot root;           ///< level full
    LandlockRules landlock;  ///< level restricted
};

/// Closes the jail around a child of this process (at level full the init of fresh namespaces),
/// calls `serve` there, and waits outside, so that the caller can tidy up what the jail cannot
/// reach. Standard streams become /dev/null. Returns the exit status of `serve`; where the jail
/// cannot be built, `on_error` is called (in the process that failed).
[[nodiscard]] int run_in_jail(SandboxLevel level, const JailView& view,
                              const std::function<int()>& serve,
                              const std::function<int(const Error&)>& on_error);

/// The layers that are in force at `level`, for a ready frame.
[[nodiscard]] std::vector<std::string> layers_of(SandboxLevel level);

/// The size of this process's address space now, bytes. Reads /proc: call before the jail closes.
[[nodiscard]] std::uint64_t address_space_bytes();

}  // namespace atl
