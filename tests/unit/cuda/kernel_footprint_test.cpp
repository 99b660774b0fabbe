#include "reward/cuda/kernel_footprint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace atl {
namespace {

const DeviceLimits k_h200 = *device_limits_of("sm_90a");

PlanStep launch(const std::string& kernel, std::uint32_t blocks, std::uint32_t threads,
                std::uint64_t shared = 0) {
    PlanLaunch made;
    made.kernel = kernel;
    made.grid = {blocks, 1, 1};
    made.block = {threads, 1, 1};
    made.shared_bytes = shared;
    return {1, made};
}

KernelFacts facts(const std::string& name, std::uint32_t registers, std::uint32_t shared = 0) {
    KernelFacts made;
    made.name = name;
    made.registers = registers;
    made.static_shared_bytes = shared;
    made.spill_store_bytes = 8;
    made.spill_load_bytes = 12;
    made.local_bytes = 24;
    return made;
}

KernelFootprint footprint(const KernelFacts& kernel, const PlanStep& step) {
    Plan plan;
    plan.steps = {step};
    const auto all = footprints_of(plan, std::span(&kernel, 1), k_h200);
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? KernelFootprint{} : all.front();
}

TEST(KernelFootprint, AFullMultiprocessorIsLimitedByNothing) {
    const KernelFootprint kernel = footprint(facts("k", 32), launch("k", 1320, 256));
    EXPECT_EQ(kernel.blocks_per_multiprocessor, 8u);
    EXPECT_EQ(kernel.occupancy, 1);
    EXPECT_EQ(kernel.limiter, "none");
    EXPECT_DOUBLE_EQ(kernel.waves, 1.25);
    EXPECT_EQ(kernel.spill_bytes, 20u);
    EXPECT_EQ(kernel.local_bytes, 24u);
    EXPECT_EQ(kernel.threads_per_block, 256u);
}

TEST(KernelFootprint, TheLimiterIsWhatLetsNoMoreFit) {
    // 65536 registers / (168 * 256) = 1 block of 8 warps among 64.
    const KernelFootprint registers = footprint(facts("k", 168), launch("k", 132, 256));
    EXPECT_EQ(registers.limiter, "registers");
    EXPECT_EQ(registers.blocks_per_multiprocessor, 1u);
    EXPECT_DOUBLE_EQ(registers.occupancy, 0.125);
    // 228 KiB / (100 + 1) KiB = 2 blocks.
    const KernelFootprint shared = footprint(facts("k", 32, 4096), launch("k", 132, 128, 96 << 10));
    EXPECT_EQ(shared.limiter, "shared_memory");
    EXPECT_EQ(shared.blocks_per_multiprocessor, 2u);
    EXPECT_DOUBLE_EQ(shared.occupancy, 0.125);
    // 2048 / 768 = 2 blocks of 24 warps; 32 blocks of one warp at most.
    EXPECT_EQ(footprint(facts("k", 16), launch("k", 132, 768)).limiter, "block_size");
    EXPECT_DOUBLE_EQ(footprint(facts("k", 16), launch("k", 132, 768)).occupancy, 0.75);
    EXPECT_EQ(footprint(facts("k", 16), launch("k", 132, 32)).limiter, "block_size");
    EXPECT_DOUBLE_EQ(footprint(facts("k", 16), launch("k", 132, 32)).occupancy, 0.5);
}

TEST(KernelFootprint, LaunchesThatAreAlikeAreOneEntry) {
    Plan plan;
    plan.steps = {launch("a", 1, 32), launch("b", 1, 32), launch("a", 1, 32), launch("a", 2, 32),
                  launch("unknown", 1, 32)};
    const std::vector<KernelFacts> kernels = {facts("a", 16), facts("b", 16)};
    const auto footprints = footprints_of(plan, kernels, k_h200);
    ASSERT_EQ(footprints.size(), 3u);
    EXPECT_EQ(footprints[0].kernel, "a");
    EXPECT_EQ(footprints[0].launches, 2u);
    EXPECT_EQ(footprints[1].kernel, "b");
    EXPECT_EQ(footprints[2].blocks, 2u);
}

TEST(KernelFootprint, NoMoreEntriesThanTheMostComeOfManyShapes) {
    Plan plan;
    for (std::uint32_t i = 1; i <= k_most_footprints + 5; ++i) {
        plan.steps.push_back(launch("a", i, 32));
    }
    const KernelFacts kernel = facts("a", 16);
    EXPECT_EQ(footprints_of(plan, std::span(&kernel, 1), k_h200).size(), k_most_footprints);
}

}  // namespace
}  // namespace atl
