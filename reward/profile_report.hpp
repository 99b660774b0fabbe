#pragma once

#include "reward/base/error.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// What holds a program back (rules: reward/bottleneck.hpp). Closed. Records have the name: never
/// rename, only append.
enum class Bottleneck {
    unknown,                  ///< nothing that is known tells
    launch_overhead,          ///< starting kernels takes as long as what they do
    dram_bandwidth,           ///< the device's memory
    l2_bandwidth,             ///< the L2 cache
    shared_memory_conflicts,  ///< shared memory, most of it for bank conflicts
    shared_memory_bandwidth,  ///< shared memory without them
    compute_bound,            ///< instruction slots or tensor cores
    tensor_pipe_idle,         ///< much arithmetic in types of tensor cores, and none done there
    few_blocks,               ///< fewer blocks than multiprocessors
    tail_effect,              ///< multiprocessors that wait for the last blocks
    occupancy_limited,        ///< few warps fit at a time (ProfileReport::limiter says why)
    latency_bound,            ///< warps wait, and nothing is busy
};

[[nodiscard]] std::string_view to_string(Bottleneck bottleneck);
[[nodiscard]] std::optional<Bottleneck> bottleneck_from(std::string_view name);

/// What a launch takes of a multiprocessor, from machine code, plan and device limits alone.
struct KernelFootprint {
    std::string kernel;  ///< as linked
    std::uint32_t launches = 0;
    std::uint64_t blocks = 0;
    std::uint32_t threads_per_block = 0;
    std::uint32_t registers = 0;             ///< per thread
    std::uint64_t static_shared_bytes = 0;   ///< per block
    std::uint64_t dynamic_shared_bytes = 0;  ///< per block
    std::uint64_t local_bytes = 0;           ///< stack frame per thread
    std::uint64_t spill_bytes = 0;           ///< stored and loaded, per thread
    std::uint32_t blocks_per_multiprocessor = 0;
    double occupancy = 0;  ///< warps that fit at a time over those that the device takes, 0 to 1
    /// What keeps more from fitting: "registers", "shared_memory", "block_size" or, at 1, "none".
    std::string limiter = "none";
    double waves = 0;  ///< blocks over those that fit on the device at a time
};

/// What the device counted during one launch.
struct KernelCounters {
    std::string kernel;  ///< as linked; empty where it is not known which launch it was
    std::uint64_t blocks = 0;
    std::uint32_t threads_per_block = 0;
    std::map<std::string, double> metrics;  ///< by names of reward/gpu/profile_metrics.hpp
};

/// What the device counted during a plan, launch by launch, each alone.
struct CounterReading {
    std::vector<KernelCounters> kernels;
    std::string why_none;  ///< why there are none
};

/// Why a candidate takes the time that it takes, on the largest public workload that is timed.
struct ProfileReport {
    std::string source = "static";  ///< "cupti": from counters; "static": from machine code, plan,
                                    ///< device limits and the measured time alone
    std::string why_static;         ///< empty, or why counters that were asked for are missing
    std::string workload;
    Bottleneck bottleneck = Bottleneck::unknown;
    std::string sentence;  ///< the bottleneck with its evidence, for a person or a prompt
    /// The roofs over the measured time, ns; 0: unknown (reward/verifier/light.hpp).
    double memory_ns = 0;
    double compute_ns = 0;
    bool tensor_types = false;  ///< inputs of types that tensor cores multiply at full precision
    std::string kernel;         ///< the one that all below is about: the longest, or the largest
    double kernel_share = 1;    ///< of the time of all kernels; 1 where times are not known
    double occupancy = 0;       ///< theoretical, 0 to 1
    std::optional<double> occupancy_achieved;
    std::string limiter = "none";           ///< of the theoretical occupancy
    std::map<std::string, double> metrics;  ///< of its longest launch; empty for "static"
    std::vector<KernelFootprint> kernels;   ///< of the plan, at most k_most_footprints
};

inline constexpr std::size_t k_most_footprints = 64;
inline constexpr std::size_t k_most_counted_launches = 32;
inline constexpr std::size_t k_most_metrics = 64;

/// The JSON forms. Readers check every field; numbers must be finite and within their ranges, names
/// of metrics of the characters that those have. `where` names the value in errors.
[[nodiscard]] nlohmann::json profile_to_json(const ProfileReport& report);
[[nodiscard]] Expected<ProfileReport> profile_from_json(const nlohmann::json& value,
                                                        const std::string& where);
[[nodiscard]] nlohmann::json counters_to_json(const CounterReading& reading);
[[nodiscard]] Expected<CounterReading> counters_from_json(const nlohmann::json& value,
                                                          const std::string& where);

}  // namespace atl
