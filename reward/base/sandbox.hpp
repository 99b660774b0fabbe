#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// How well this machine lets us lock a process up.
enum class SandboxLevel {
    none = 0,        ///< rlimits only
    restricted = 1,  ///< seccomp + Landlock + rlimits
    full = 2,        ///< + user, pid, mount, net, ipc, uts namespaces on a minimal read-only root
};

[[nodiscard]] std::string_view to_string(SandboxLevel level);
[[nodiscard]] Expected<SandboxLevel> sandbox_level_from(std::string_view name);

struct SandboxProbe {
    SandboxLevel level = SandboxLevel::none;
    std::vector<std::string> layers;   ///< what works, e.g. "user namespace", "landlock ABI 7"
    std::vector<std::string> missing;  ///< what does not, with the reason and the remedy
};

/// Tries each layer in a child process and reports; takes a few milliseconds.
[[nodiscard]] SandboxProbe probe_sandbox();

}  // namespace atl
