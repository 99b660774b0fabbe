#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/base/jail_filter.hpp"
#include "reward/base/jail_landlock.hpp"
#include "reward/base/sandbox.hpp"

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// Where warm compilers of one jail live and what holds for them.
struct WarmPlace {
    std::string compiler;  ///< clang's driver
    SandboxLevel level = SandboxLevel::full;
    std::string folder;                        ///< theirs to write to while they are made
    std::string name;                          ///< of this one's files there
    const SyscallFilter* making = nullptr;     ///< of the compiler while one is made
    const SyscallFilter* compiling = nullptr;  ///< of a compilation; null: not filtered
    const LandlockRules* landlock = nullptr;   ///< null: not restricted
    std::uint64_t memory_bytes = 1ull << 31;   ///< address space of each process
    std::uint64_t file_bytes = 64ull << 20;    ///< largest file that one may write
};

/// A clang that is loaded, waits before its main(), and forks a child per compilation (see
/// warm_preload.cpp). It compiles sources that begin with the same text, the prelude, which it has
/// precompiled. Everything it is made of is trusted; only what is compiled later is not.
///
/// It dies with the process that made it, whose children its children are: whoever makes one waits
/// for them. Not thread-safe.
class WarmCompiler {
  public:
    /// Asks the driver for its command, precompiles `prelude`, compiles `runtime` (which belongs to
    /// it, and is linked to every binary), and starts clang. Takes some 0.3 s; blocks.
    /// unavailable when this clang does not work in this way.
    [[nodiscard]] static Expected<std::unique_ptr<WarmCompiler>> make(
        const WarmPlace& place, const std::vector<std::string>& flags, std::string prelude,
        std::string runtime);
    ~WarmCompiler();
    WarmCompiler(const WarmCompiler&) = delete;
    WarmCompiler& operator=(const WarmCompiler&) = delete;

    /// Starts to compile `source` (without the prelude) into an object file; the child's pid. It
    /// ends with the compiler's exit status, or k_warm_not_confined.
    [[nodiscard]] Expected<pid_t> start(const FileHandle& source, const FileHandle& object,
                                        const FileHandle& log, std::uint64_t cpu_seconds);

    [[nodiscard]] bool fits(const std::vector<std::string>& flags, std::string_view prelude,
                            std::string_view runtime) const {
        return flags == m_flags && prelude == m_prelude && runtime == m_runtime;
    }
    /// Compiles nothing but the prelude, and waits for it: false when its headers are other ones
    /// now than those that were precompiled.
    [[nodiscard]] bool still_works();
    /// The command that links candidate.o in the working folder to candidate.so.
    [[nodiscard]] const std::vector<std::string>& link_command() const { return m_link_command; }

  private:
    WarmCompiler() = default;
    [[nodiscard]] Status prepare(const WarmPlace& place);
    [[nodiscard]] Status launch(const WarmPlace& place);
    [[nodiscard]] Expected<pid_t> receive_pid() const;

    std::vector<std::string> m_flags;
    std::string m_prelude;
    std::string m_runtime;
    std::vector<std::string> m_command;       ///< of a compilation from standard input to output
    std::vector<std::string> m_link_command;  ///< [0] is a path
    FileHandle m_socket;
    pid_t m_pid = -1;
};

}  // namespace atl
