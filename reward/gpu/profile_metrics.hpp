#pragma once

#include <string>
#include <vector>

namespace atl::metric {

/// What is counted of every kernel, by NVIDIA's names (CUPTI documentation, "Metrics Table" and
/// "Metrics Decoder": unit__counter.rollup.submetric). All of them fit into one pass on AD102,
/// GH100 and GB100, so that a kernel need not be run again (GA100 needs two); the test
/// ProfileMetrics.FitOnePass asks CUPTI's host library, which needs no GPU.

inline constexpr const char* k_time = "gpu__time_duration.sum";  ///< ns

/// Shares of what a unit can do, in percent of the whole time of the kernel.
inline constexpr const char* k_dram = "dram__throughput.avg.pct_of_peak_sustained_elapsed";
/// L2's ways to the multiprocessors and from them (79 % where reads, 85 % where writes stay
/// in L2, on an H200).
inline constexpr const char* k_l2_out =
    "lts__lts2xbar_cycles_active.avg.pct_of_peak_sustained_elapsed";
inline constexpr const char* k_l2_in =
    "lts__xbar2lts_cycles_active.avg.pct_of_peak_sustained_elapsed";
inline constexpr const char* k_shared =
    "l1tex__data_pipe_lsu_wavefronts_mem_shared.avg.pct_of_peak_sustained_elapsed";

/// The same in percent of the time in which a multiprocessor has work.
inline constexpr const char* k_issue = "smsp__issue_active.avg.pct_of_peak_sustained_active";
inline constexpr const char* k_tensor =
    "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active";
inline constexpr const char* k_warps = "sm__warps_active.avg.pct_of_peak_sustained_active";

/// Cycles in which a multiprocessor has work, on average, and of the whole kernel.
inline constexpr const char* k_active_cycles = "sm__cycles_active.avg";
inline constexpr const char* k_cycles = "sm__cycles_elapsed.max";

inline constexpr const char* k_dram_read = "dram__bytes_read.sum";
inline constexpr const char* k_dram_written = "dram__bytes_write.sum";

/// Turns of shared memory, and those of them that bank conflicts added.
inline constexpr const char* k_shared_turns = "l1tex__data_pipe_lsu_wavefronts_mem_shared.sum";
inline constexpr const char* k_shared_conflicts =
    "l1tex__data_bank_conflicts_pipe_lsu_mem_shared.sum";

inline constexpr const char* k_instructions = "sm__inst_executed.sum";

[[nodiscard]] inline std::vector<std::string> all() {
    return {k_time,          k_dram,
            k_l2_out,        k_l2_in,
            k_shared,        k_issue,
            k_tensor,        k_warps,
            k_active_cycles, k_cycles,
            k_dram_read,     k_dram_written,
            k_shared_turns,  k_shared_conflicts,
            k_instructions};
}

}  // namespace atl::metric
