#pragma once

#include "reward/base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// How well this machine lets us lock a process up.
enum class SandboxLevel {
    none = 0,        ///< rlimits only
    restricted = 1,  ///< seccomp + Landlock + rlimits
    full = 2,        ///< seccomp + rlimits in user, pid, mount, net, ipc and uts namespaces, on a
                     ///< minimal root (which makes Landlock unnecessary)
};

[[nodiscard]] std::string_view to_string(SandboxLevel level);
[[nodiscard]] Expected<SandboxLevel> sandbox_level_from(std::string_view name);

struct SandboxProbe {
    SandboxLevel level = SandboxLevel::none;
    std::vector<std::string> layers;   ///< what works, e.g. "user namespace", "landlock ABI 7"
    std::vector<std::string> missing;  ///< what does not, with the reason and the remedy
};

/// Tries each layer in a child process, as the unprivileged user that jails run as, and reports;
/// takes a few milliseconds. Call from a process with little memory or do not mind the fork.
[[nodiscard]] SandboxProbe probe_sandbox();

/// The level to work at: what the probe reached, but not more than `at_most`. When that is below
/// `required`: an error of code permission that says what is missing and what to do.
[[nodiscard]] Expected<SandboxLevel> choose_sandbox_level(const SandboxProbe& probe,
                                                          SandboxLevel required,
                                                          SandboxLevel at_most);

}  // namespace atl
