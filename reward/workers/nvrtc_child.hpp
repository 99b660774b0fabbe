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

/// Everything a child has of the zygote that forks it, before it knows what to compile.
struct NvrtcPlan {
    const WarmNvrtc* warm = nullptr;
    SandboxLevel level = SandboxLevel::full;
    std::string work_folder;                  ///< an empty folder; at level full a mount point
    const SyscallFilter* filter = nullptr;    ///< null: not filtered
    const LandlockRules* landlock = nullptr;  ///< without the work folder; null: not restricted
    std::uint64_t base_bytes = 0;             ///< the zygote's own address space
    FileHandle orders;                        ///< socket on which one order comes
};

/// What an order's frame carries beside the NvrtcOrder, in this order: the translation unit, three
/// empty memfds, and the end of a pipe that a child writes NvrtcWord to.
enum class NvrtcHandle : std::size_t { source, log, cubin, names, words, count };

/// What a child says, a byte each: `confined` once the jail is closed, then at most one of the
/// others, when all that it leaves is written. A child that ends before `confined` is a fault of
/// ours, with a message in the log; afterwards nothing that a child says is.
enum class NvrtcWord : char { confined = 'c', ok = 'o', error = 'e', no_memory = 'm' };

/// The life of a child after fork: memory and a folder of its own; it waits for its order, which
/// may come much later or never; then limits, filter, one compilation.
[[noreturn]] void compile_device_code(const NvrtcPlan& plan);

}  // namespace atl
