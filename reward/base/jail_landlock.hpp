#pragma once

#include "reward/base/error.hpp"

#include <string>
#include <vector>

namespace atl {

/// What the file system still grants after Landlock is on. Absent paths are skipped.
struct LandlockRules {
    std::vector<std::string> readable;  ///< read and execute, whole trees
    std::vector<std::string> writable;  ///< + create, write and remove, whole trees
    std::vector<std::string> devices;   ///< files to read and write, e.g. /dev/null
    std::vector<std::string> drivers;   ///< devices, or folders of some, that take ioctl() too
};

/// The Landlock version of the running kernel; 0 when there is none.
[[nodiscard]] int landlock_version();

/// Restricts the calling thread and its later children for good: files beyond the rules, TCP, and
/// signals and abstract sockets to processes outside, as far as the kernel's version knows them.
/// Needs no_new_privs. Open descriptors stay usable.
[[nodiscard]] Status apply_landlock(const LandlockRules& rules);

}  // namespace atl
