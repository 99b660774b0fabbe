#pragma once

#include "reward/cuda/kernel_facts.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace atl {

/// What a launch must keep to on one model of device. Numbers per compute capability are those of
/// the CUDA C++ Programming Guide 13.0, "Compute Capabilities" (technical specifications).
struct DeviceLimits {
    std::string name;
    std::string arch;  ///< as NVRTC wants it: "sm_90a"
    int major = 0;
    int minor = 0;
    std::uint32_t multiprocessors = 0;
    std::uint32_t warp_size = 32;
    std::uint32_t threads_per_block = 1024;
    std::array<std::uint32_t, 3> block{1024, 1024, 64};
    std::array<std::uint32_t, 3> grid{2147483647, 65535, 65535};
    std::uint32_t threads_per_multiprocessor = 2048;
    std::uint32_t blocks_per_multiprocessor = 32;
    std::uint32_t registers_per_block = 65536;
    std::uint32_t registers_per_multiprocessor = 65536;
    std::uint64_t shared_per_block = 48 << 10;  ///< bytes; without asking for more
    std::uint64_t shared_per_block_optin = 0;   ///< bytes; the most that can be asked for
    std::uint64_t shared_per_multiprocessor = 0;
    std::uint64_t shared_reserved_per_block = 1 << 10;
    std::uint64_t parameter_bytes = 32764;   ///< of one kernel (since CUDA 12.1)
    std::uint32_t cluster_blocks = 0;        ///< 0: no clusters
    std::uint32_t cluster_blocks_optin = 0;  ///< with the non-portable attribute
    std::uint64_t l2_bytes = 0;
    std::uint64_t memory_bytes = 0;
};

/// The usual data-centre device of an architecture: "sm_80" (A100), "sm_90" and "sm_90a" (H200),
/// "sm_100" and "sm_100a" (B200). Nothing for others.
[[nodiscard]] std::optional<DeviceLimits> device_limits_of(std::string_view arch);

/// How many blocks of a kernel fit on one multiprocessor; 0 when none does. Registers are handed
/// out to warps in steps of 256, shared memory to blocks in steps of 128 bytes on top of what the
/// device keeps for itself (CUDA Occupancy Calculator, compute capability 8 and 9).
[[nodiscard]] std::uint32_t blocks_that_fit(const DeviceLimits& limits, const KernelFacts& kernel,
                                            std::uint64_t threads, std::uint64_t dynamic_shared);

/// Bytes of the device's memory that the driver takes for what a kernel's threads keep there
/// (arrays, spilled registers): room for every thread that can be on the device at once.
[[nodiscard]] std::uint64_t local_memory_of(const DeviceLimits& limits, const KernelFacts& kernel);

}  // namespace atl
