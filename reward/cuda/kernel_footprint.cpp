#include "reward/cuda/kernel_footprint.hpp"

#include <algorithm>
#include <cstdint>
#include <variant>

namespace atl {

namespace {

std::uint64_t volume_of(const PlanDim& dim) {
    return std::uint64_t{dim[0]} * dim[1] * dim[2];
}

bool is_alike(const KernelFootprint& known, const PlanLaunch& launch) {
    return known.kernel == launch.kernel && known.blocks == volume_of(launch.grid) &&
           known.threads_per_block == volume_of(launch.block) &&
           known.dynamic_shared_bytes == launch.shared_bytes;
}

/// What would fit if only registers, or only shared memory, mattered besides threads.
std::string limiter_of(const DeviceLimits& limits, const KernelFacts& facts,
                       const KernelFootprint& kernel) {
    if (kernel.occupancy >= 1) {
        return "none";
    }
    KernelFacts registers;
    registers.registers = facts.registers;
    KernelFacts shared;
    shared.static_shared_bytes = facts.static_shared_bytes;
    const std::uint32_t threads = kernel.threads_per_block;
    const std::uint32_t by_threads = blocks_that_fit(limits, {}, threads, 0);
    const std::uint32_t by_registers = blocks_that_fit(limits, registers, threads, 0);
    const std::uint32_t by_shared =
        blocks_that_fit(limits, shared, threads, kernel.dynamic_shared_bytes);
    if (by_registers <= kernel.blocks_per_multiprocessor && by_registers < by_threads) {
        return "registers";
    }
    if (by_shared <= kernel.blocks_per_multiprocessor && by_shared < by_threads) {
        return "shared_memory";
    }
    return "block_size";
}

KernelFootprint footprint_of(const PlanLaunch& launch, const KernelFacts& facts,
                             const DeviceLimits& limits) {
    KernelFootprint kernel;
    kernel.kernel = launch.kernel;
    kernel.launches = 1;
    kernel.blocks = volume_of(launch.grid);
    kernel.threads_per_block = static_cast<std::uint32_t>(volume_of(launch.block));
    kernel.registers = facts.registers;
    kernel.static_shared_bytes = facts.static_shared_bytes;
    kernel.dynamic_shared_bytes = launch.shared_bytes;
    kernel.local_bytes = facts.local_bytes;
    kernel.spill_bytes = std::uint64_t{facts.spill_store_bytes} + facts.spill_load_bytes;
    kernel.blocks_per_multiprocessor =
        blocks_that_fit(limits, facts, kernel.threads_per_block, launch.shared_bytes);
    const std::uint32_t warp = std::max(limits.warp_size, 1u);
    const double warps = (kernel.threads_per_block + warp - 1) / warp;
    const double most = limits.threads_per_multiprocessor / warp;
    if (most > 0) {
        kernel.occupancy = std::min(1.0, kernel.blocks_per_multiprocessor * warps / most);
    }
    kernel.limiter = limiter_of(limits, facts, kernel);
    const double at_once =
        static_cast<double>(kernel.blocks_per_multiprocessor) * limits.multiprocessors;
    if (at_once > 0) {
        kernel.waves = static_cast<double>(kernel.blocks) / at_once;
    }
    return kernel;
}

}  // namespace

std::vector<KernelFootprint> footprints_of(const Plan& plan, std::span<const KernelFacts> kernels,
                                           const DeviceLimits& limits) {
    std::vector<KernelFootprint> footprints;
    for (const PlanStep& step : plan.steps) {
        const auto* launch = std::get_if<PlanLaunch>(&step.what);
        if (launch == nullptr) {
            continue;
        }
        const auto known =
            std::find_if(footprints.begin(), footprints.end(),
                         [&](const KernelFootprint& other) { return is_alike(other, *launch); });
        if (known != footprints.end()) {
            ++known->launches;
            continue;
        }
        const auto facts =
            std::find_if(kernels.begin(), kernels.end(),
                         [&](const KernelFacts& one) { return one.name == launch->kernel; });
        if (facts != kernels.end() && footprints.size() < k_most_footprints) {
            footprints.push_back(footprint_of(*launch, *facts, limits));
        }
    }
    return footprints;
}

}  // namespace atl
