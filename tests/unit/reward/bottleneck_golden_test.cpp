// What an H200 counted (driver 580, CUPTI 13.0) of kernels whose weakness is known, and the name
// that the rules give it. The kernels are those of tests/gpu/profile_test.cpp or like them.

#include "reward/bottleneck.hpp"
#include "reward/gpu/profile_metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace atl {
namespace {

struct Golden {
    const char* what;
    Bottleneck wanted;
    /// Launch: blocks, threads, blocks on a multiprocessor, limiter.
    std::uint64_t blocks;
    std::uint32_t threads;
    std::uint32_t fit;
    const char* limiter;
    /// Counted: ns, memory, L2 out, L2 in, shared memory in %, its turns and conflicts, issue,
    /// warps in %, cycles with work and all.
    double ns, dram, l2_out, l2_in, shared, turns, conflicts, issue, warps, active, cycles;
};

std::ostream& operator<<(std::ostream& out, const Golden& golden) {
    return out << golden.what;
}

const Golden k_golden[] = {
    {"copy of 64 MiB", Bottleneck::dram_bandwidth, 1056, 512, 4, "none", 36640, 77.27, 17.95, 43.22,
     0.1769, 16900, 0, 5.995, 88.3, 66030, 72460},
    {"copy of 256 MiB", Bottleneck::dram_bandwidth, 1056, 512, 4, "none", 136200, 82.53, 19.2, 46.6,
     0.04751, 16900, 0, 5.373, 93.21, 254700, 269600},
    {"every 32nd float", Bottleneck::dram_bandwidth, 8192, 256, 8, "none", 366400, 61.98, 28.4,
     29.92, 0.06861, 65540, 0, 1.872, 90.17, 711600, 724800},
    {"writes that stay in L2", Bottleneck::l2_bandwidth, 1056, 512, 4, "none", 154000, 2.698,
     0.02724, 84.8, 0.04201, 16900, 0, 11.9, 90.12, 279400, 304900},
    {"reads that stay in L2", Bottleneck::l2_bandwidth, 528, 256, 8, "none", 75260, 5.635, 78.76,
     33.79, 0.02151, 4224, 0, 9.933, 43.05, 139600, 148900},
    {"transpose of 3 x 3000 x 2001, a value a thread", Bottleneck::l2_bandwidth, 70348, 256, 8,
     "none", 291648, 11.14, 2.42, 78.08, 0.7386, 562784, 0, 16.09, 81.19, 570153, 577388},
    {"four chains of multiplications", Bottleneck::compute_bound, 2112, 256, 8, "none", 286100,
     0.1184, 0.007614, 0.1642, 0.02266, 16900, 0, 97.27, 79.95, 560600, 566000},
    {"exponentials", Bottleneck::compute_bound, 2112, 256, 8, "none", 1.068e6, 0.03139, 0.001876,
     0.04385, 0.006053, 16900, 0, 65.44, 79.77, 2.106e6, 2.115e6},
    // These were counted without L2's ways.
    {"multiply and add", Bottleneck::compute_bound, 1056, 256, 8, "none", 190900, 0.07978, 0, 0,
     0.01697, 8448, 0, 72.08, 58.95, 373100, 377800},
    {"columns of an unpadded tile, one warp a block", Bottleneck::shared_memory_conflicts, 1056, 32,
     32, "block_size", 520200, 0.006444, 0, 0, 99.51, 1.352e8, 1.309e8, 3.911, 12.5, 1.025e6,
     1.03e6},
    {"200 KiB of shared memory a block", Bottleneck::occupancy_limited, 1056, 64, 1,
     "shared_memory", 765300, 3.845, 0, 0, 0.002112, 4224, 0, 1.912, 3.112, 1.471e6, 1.515e6},
    {"20 KiB of shared memory a block of one warp", Bottleneck::occupancy_limited, 10560, 32, 10,
     "shared_memory", 170700, 17.19, 0, 0, 0.04772, 21270, 153, 4.439, 15.34, 326900, 337900},
    {"loads that wait for loads", Bottleneck::latency_bound, 1056, 256, 8, "none", 13790, 2.935, 0,
     0, 0.2376, 8448, 0, 33.61, 72.97, 23410, 27120},
    {"copy by 64 blocks", Bottleneck::few_blocks, 64, 256, 8, "none", 126600, 23.22, 0, 0, 0.001549,
     512, 0, 2.795, 12.32, 117400, 250600},
    {"one warp that does nothing", Bottleneck::launch_overhead, 1, 32, 32, "block_size", 1984,
     0.06779, 0, 0, 0.0001948, 1, 0, 2.429, 1.562, 3.879, 3891},
    {"132 warps that do nothing", Bottleneck::launch_overhead, 132, 32, 32, "block_size", 2112,
     0.07979, 0, 0, 0.02449, 132, 0, 2.013, 1.561, 614.2, 4086},
};

class BottleneckGolden : public ::testing::TestWithParam<Golden> {};

TEST_P(BottleneckGolden, ItsNameIsFound) {
    const Golden& golden = GetParam();
    KernelFootprint kernel;
    kernel.kernel = "k";
    kernel.launches = 1;
    kernel.blocks = golden.blocks;
    kernel.threads_per_block = golden.threads;
    kernel.blocks_per_multiprocessor = golden.fit;
    kernel.occupancy = golden.fit * golden.threads / 2048.0;
    kernel.limiter = golden.limiter;
    kernel.waves = static_cast<double>(golden.blocks) / (132.0 * golden.fit);
    ProfileReport report;
    report.kernels = {kernel};
    CounterReading reading;
    reading.kernels = {{"k",
                        golden.blocks,
                        golden.threads,
                        {{metric::k_time, golden.ns},
                         {metric::k_dram, golden.dram},
                         {metric::k_l2_out, golden.l2_out},
                         {metric::k_l2_in, golden.l2_in},
                         {metric::k_shared, golden.shared},
                         {metric::k_shared_turns, golden.turns},
                         {metric::k_shared_conflicts, golden.conflicts},
                         {metric::k_issue, golden.issue},
                         {metric::k_warps, golden.warps},
                         {metric::k_active_cycles, golden.active},
                         {metric::k_cycles, golden.cycles}}}};
    name_bottleneck(report, golden.ns, reading);
    EXPECT_EQ(to_string(report.bottleneck), to_string(golden.wanted)) << report.sentence;
}

INSTANTIATE_TEST_SUITE_P(H200, BottleneckGolden, ::testing::ValuesIn(k_golden));

}  // namespace
}  // namespace atl
