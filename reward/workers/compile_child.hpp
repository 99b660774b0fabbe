#pragma once

#include "reward/base/files.hpp"
#include "reward/base/jail_filter.hpp"
#include "reward/base/jail_landlock.hpp"
#include "reward/base/sandbox.hpp"
#include "reward/workers/compile_messages.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace atl {

/// Everything the process that manages one compilation needs from the zygote that forks it.
struct CompilePlan {
    CompileOrder order;
    std::string compiler;
    SandboxLevel level = SandboxLevel::full;
    std::string work_folder;                  ///< an empty folder; at level full a mount point
    const SyscallFilter* filter = nullptr;    ///< null: not filtered
    const LandlockRules* landlock = nullptr;  ///< without the work folder; null: not restricted
    /// Links `source`, an object file, with this command (its [0] is a path); empty: compiles it.
    std::vector<std::string> link_command;
    std::string link_folder;  ///< readable for the linker, at level restricted
    FileHandle source;
    FileHandle binary;  ///< empty memfd for the shared object
    FileHandle log;     ///< pipe: the compiler's standard output and error
    FileHandle report;  ///< pipe: one ManagerReport
};

/// What the manager tells the zygote when the compiler has ended. A plain record: both are the same
/// program.
struct ManagerReport {
    bool signalled = false;
    std::int32_t status = 0;
    double seconds = 0;
    std::uint64_t binary_bytes = 0;  ///< size of the shared object; copied if not too large
    std::int32_t fault_errno = 0;    ///< set when the compiler could not even be started
};

/// The life of a manager after fork: private work folder, compiler under limits and filter, shared
/// object copied out of the folder. Killing its process group ends the compiler too.
[[noreturn]] void manage_compilation(const CompilePlan& plan);

}  // namespace atl
