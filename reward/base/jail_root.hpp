#pragma once

#include "reward/base/error.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace atl {

/// The file system a jailed process sees: an empty tmpfs plus the listed things of the host, each
/// at its own path.
struct JailRoot {
    std::vector<std::string>
        read_only;  ///< trees or files; symbolic links are copied; absent: skipped
    std::vector<std::string> devices;     ///< device files, e.g. /dev/null
    std::vector<std::string> folders;     ///< empty folders to make (mount points)
    std::uint64_t tmpfs_bytes = 1 << 20;  ///< capacity of the tmpfs itself
    bool writable = false;                ///< whether the tmpfs stays writable
};

/// Puts the calling process into fresh user, mount, net, IPC and UTS namespaces, and its next
/// children into a fresh pid namespace (the first child becomes its init). The user keeps its id;
/// within the namespaces the process has all capabilities. Single-threaded callers only.
[[nodiscard]] Status enter_namespaces();

/// Replaces the root of the calling process, which must be in its own mount namespace, and makes
/// "/" the working folder. Nothing of the old root stays reachable but open descriptors.
[[nodiscard]] Status enter_jail_root(const JailRoot& root);

/// Mounts a fresh tmpfs on an existing folder.
[[nodiscard]] Status mount_tmpfs(const std::string& folder, std::uint64_t bytes);

/// Gives up every capability for good, so that the namespaces cannot be changed any more.
[[nodiscard]] Status drop_capabilities();

}  // namespace atl
