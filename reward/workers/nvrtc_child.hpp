#pragma once

#include "reward/base/files.hpp"
#include "reward/base/jail_filter.hpp"
#include "reward/base/jail_landlock.hpp"
#include "reward/base/sandbox.hpp"
#include "reward/cuda/jit_link_library.hpp"
#include "reward/cuda/nvrtc_library.hpp"
#include "reward/workers/nvrtc_messages.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace atl {

/// A bundle as it was precompiled: with these flags of those that headers see, and no others.
struct PrecompiledBundle {
    HeaderBundle bundle = HeaderBundle::none;
    std::vector<std::string> flags;
    std::string file;
};

/// NVRTC with all headers that can be precompiled, as a zygote has it.
struct WarmNvrtc {
    NvrtcLibrary library;
    std::string architecture;          ///< of the precompiled headers
    std::string folder;                ///< where they lie; empty: there are none
    std::vector<std::string> include;  ///< CUDA's folder, then others
    std::vector<PrecompiledBundle> bundles{};
    std::optional<JitLinkLibrary> jit_link{};  ///< where PTX can be assembled
};

/// Loads all that NVRTC needs into this process and precompiles the header bundles: only its forked
/// children can use them (they are bound to addresses). Takes seconds. A bundle that cannot be
/// compiled with these headers is left out; unavailable when not even a kernel without headers can.
[[nodiscard]] Status precompile_headers(WarmNvrtc& warm);

/// Everything a child needs of the zygote that forks it.
struct NvrtcPlan {
    NvrtcOrder order;
    const WarmNvrtc* warm = nullptr;
    SandboxLevel level = SandboxLevel::full;
    std::string work_folder;                  ///< an empty folder; at level full a mount point
    const SyscallFilter* filter = nullptr;    ///< null: not filtered
    const LandlockRules* landlock = nullptr;  ///< without the work folder; null: not restricted
    std::uint64_t base_bytes = 0;             ///< the zygote's own address space
    FileHandle source;
    FileHandle log;  ///< empty memfds
    FileHandle cubin;
    FileHandle names;
    FileHandle confined;  ///< pipe: a byte is written once the jail is closed
};

/// Exit statuses of a child. Before `confined` k_nvrtc_fault is a fault of ours, with a message in
/// the log; afterwards nothing that a child says is.
inline constexpr int k_nvrtc_ok = 0;
inline constexpr int k_nvrtc_error = 1;
inline constexpr int k_nvrtc_no_memory = 2;
inline constexpr int k_nvrtc_fault = 3;

/// The life of a child after fork: private folder, limits, filter, one compilation.
[[noreturn]] void compile_device_code(const NvrtcPlan& plan);

}  // namespace atl
