#include "reward/cuda/device_limits.hpp"

#include <algorithm>

namespace atl {

namespace {

constexpr std::uint64_t k_register_step = 256;
constexpr std::uint64_t k_shared_step = 128;

std::uint64_t round_up(std::uint64_t value, std::uint64_t step) {
    return (value + step - 1) / step * step;
}

}  // namespace

std::optional<DeviceLimits> device_limits_of(std::string_view arch) {
    DeviceLimits limits;
    limits.arch = arch;
    if (arch == "sm_80") {
        limits.name = "NVIDIA A100";
        limits.major = 8;
        limits.multiprocessors = 108;
        limits.shared_per_block_optin = 163 << 10;
        limits.shared_per_multiprocessor = 164 << 10;
        limits.l2_bytes = 40ull << 20;
        limits.memory_bytes = 80ull << 30;
        return limits;
    }
    limits.shared_per_block_optin = 227 << 10;
    limits.shared_per_multiprocessor = 228 << 10;
    limits.cluster_blocks = 8;
    limits.cluster_blocks_optin = 16;
    if (arch == "sm_90" || arch == "sm_90a") {
        limits.name = "NVIDIA H200";
        limits.major = 9;
        limits.multiprocessors = 132;
        limits.l2_bytes = 50ull << 20;
        limits.memory_bytes = 141ull << 30;
        return limits;
    }
    if (arch == "sm_100" || arch == "sm_100a") {
        limits.name = "NVIDIA B200";
        limits.major = 10;
        limits.multiprocessors = 148;
        limits.l2_bytes = 126ull << 20;
        limits.memory_bytes = 180ull << 30;
        return limits;
    }
    return std::nullopt;
}

std::uint32_t blocks_that_fit(const DeviceLimits& limits, const KernelFacts& kernel,
                              std::uint64_t threads, std::uint64_t dynamic_shared) {
    if (threads == 0 || threads > limits.threads_per_block || limits.warp_size == 0) {
        return 0;
    }
    const std::uint64_t warps = (threads + limits.warp_size - 1) / limits.warp_size;
    std::uint64_t blocks =
        std::min<std::uint64_t>(limits.blocks_per_multiprocessor,
                                limits.threads_per_multiprocessor / limits.warp_size / warps);
    const std::uint64_t per_warp =
        round_up(std::uint64_t{kernel.registers} * limits.warp_size, k_register_step);
    if (per_warp > 0) {
        blocks = std::min(blocks, limits.registers_per_multiprocessor / per_warp / warps);
    }
    if (dynamic_shared > limits.shared_per_multiprocessor) {
        return 0;
    }
    const std::uint64_t shared =
        round_up(kernel.static_shared_bytes + dynamic_shared + limits.shared_reserved_per_block,
                 k_shared_step);
    return static_cast<std::uint32_t>(std::min(blocks, limits.shared_per_multiprocessor / shared));
}

std::uint64_t local_memory_of(const DeviceLimits& limits, const KernelFacts& kernel) {
    return std::uint64_t{kernel.local_bytes} * limits.threads_per_multiprocessor *
           limits.multiprocessors;
}

}  // namespace atl
