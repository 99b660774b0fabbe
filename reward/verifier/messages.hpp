#pragma once

#include "reward/base/error.hpp"
#include "reward/core_probe.hpp"
#include "reward/evaluator.hpp"
#include "reward/verdict.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// Payloads of the frames between supervisor and verifier. JSON on the wire.

/// load_task: handle [0] is the compiled oracle. The verifier loads the folder itself and refuses
/// when the digest differs from what the supervisor saw.
struct LoadTask {
    std::string folder;
    Digest digest;
    std::string kind;  ///< that load_task() is called with
};

/// evaluate: handles [0] the candidate's shared object, [1...] those of the rivals.
struct EvaluateOrder {
    Digest task;  ///< a task loaded before
    Level level = Level::measure;
    std::vector<std::string> rivals;  ///< names, in handle order
    std::vector<bool> rival_trusted;
    double cutoff_ns = 0;
    double confidence = 0.01;
    double measure_seconds = 0.15;
    double launch_timeout_s = 10;
    std::uint64_t memory_bytes = 4ull << 30;
    std::vector<int> cores;
    double peak_flops = 0;          ///< of the device's cores, per second; 0 = unknown
    double most_flops = 0;          ///< what no program exceeds, for judging; 0 = peak_flops
    bool peak_is_of_type = false;   ///< of the task's own element types: nothing is faster
    double peak_bandwidth = 0;      ///< bytes per second; 0 = unknown
    std::uint64_t cache_bytes = 0;  ///< last-level cache: bytes that fit are not counted
    CoreBest core;                  ///< of the device, at its best; 0 = unknown
    std::string protocol;           ///< GPU: of reward/gpu/protocols.hpp; empty: the default
    /// Index of Task::workloads, a public one: what the device counts while it runs is wanted.
    std::optional<std::size_t> profile_workload;
};

/// evaluated: the device stages of a verdict (smoke, verify, screen, measure, confirm).
struct EvaluateReply {
    Outcome outcome = Outcome::passed;
    Stage stage = Stage::smoke;
    std::string reason;
    std::vector<VerifyCase> verify;
    std::optional<MeasureReport> measure;
    std::vector<StageTime> stage_times;
    std::string noise;
    double device_seconds = 0;
    double timed_seconds = 0;                   ///< inside timed launches
    std::optional<std::uint64_t> memory_bytes;  ///< Verdict::memory_bytes
    std::optional<CounterReading> counters;     ///< of EvaluateOrder::profile_workload
    /// Not in the message: a lane's word that differs from the kind's. Empty: the kind's holds.
    std::string trust;
};

[[nodiscard]] std::string to_json(const LoadTask& message);
[[nodiscard]] Expected<LoadTask> parse_load_task(std::string_view json);
[[nodiscard]] std::string to_json(const EvaluateOrder& message);
[[nodiscard]] Expected<EvaluateOrder> parse_evaluate_order(std::string_view json);
[[nodiscard]] std::string to_json(const EvaluateReply& message);
[[nodiscard]] Expected<EvaluateReply> parse_evaluate_reply(std::string_view json);

/// The measuring protocol's name: part of verdict cache keys.
inline constexpr const char* k_cpu_protocol = "cpu-cold-v5";

}  // namespace atl
