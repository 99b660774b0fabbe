#pragma once

#include "reward/base/error.hpp"
#include "reward/base/sandbox.hpp"
#include "reward/outcome.hpp"
#include "reward/profile_report.hpp"
#include "reward/task.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace atl {

/// What a GPU's verifier says to the runner beside it: frames of type gpu_call with one of these
/// messages as JSON ("call": "buffers" ...), each answered by a frame of type gpu_answer with the
/// same request id, or by `failed` (a fault of ours). One call at a time. A runner that reported a
/// fault of a kernel, or a hang, answers nothing more and ends when this channel closes.

/// Answer to a gpu_start frame.
struct GpuStarted {
    std::string device;      ///< the driver's name for it
    std::string clock;       ///< gpu_runner: "cupti" or "events"; gpu_verifier: empty
    std::string why_events;  ///< gpu_runner: why CUPTI is not used
    /// What is in force around the process (reward/gpu/gpu_jail.hpp); "none" or "restricted".
    SandboxLevel jail = SandboxLevel::none;
    std::vector<std::string> layers = {};
};

/// Shared memory of the device, exported by the verifier, is mapped between unmapped addresses and
/// numbered on from what is mapped already; `forget` unmaps all first. Handles: one per buffer.
/// Answer: GpuDone.
struct GpuBuffersCall {
    bool forget = false;
    std::vector<std::uint64_t> bytes;  ///< at most k_max_frame_handles; what was asked for, exact
};

/// Handle [0]: a GpuPackage. It gets number `program`, which replaces an earlier one of that
/// number. Nothing is loaded onto the device yet. Answer: GpuLoaded.
struct GpuLoadCall {
    std::uint32_t program = 0;  ///< below k_max_gpu_programs
};

/// Where a tensor of one launch lies.
struct GpuTensorPlace {
    std::uint32_t buffer = 0;
    std::uint64_t offset = 0;  ///< bytes from the buffer's begin
    bool operator==(const GpuTensorPlace&) const = default;
};

/// Tensors are numbered as in TaskLayout: tensor inputs, then outputs.
struct GpuPlay {
    std::uint32_t workload = 0;  ///< index of Task::workloads
    std::vector<GpuTensorPlace> tensors;
};

/// Launches without a clock: each with the module loaded anew, the persisting L2 lines reset and
/// the stream synchronised, in order, until one fails. Answer: GpuPlayed.
struct GpuPlayCall {
    std::uint32_t program = 0;
    std::vector<GpuPlay> plays;
    std::uint64_t limit_ns = 0;  ///< of one launch
};

/// How one input is made anew before a timed launch.
struct GpuRefill {
    std::uint32_t tensor = 0;  ///< of GpuPlay::tensors
    InputGenerator generator;  ///< resolved; kind "copy": from one of `donors`, by turns
    DType dtype = DType::f32;
    std::uint32_t stream = 0;  ///< as fill_input() has it
    std::int64_t count = 0;    ///< elements
    std::vector<GpuTensorPlace> donors = {};
};

struct GpuTimedLaunch {
    std::vector<GpuTensorPlace> tensors;
    std::uint64_t seed = 0;   ///< of all generators
    std::uint32_t donor = 0;  ///< index into GpuRefill::donors
};

/// Timed launches, queued one behind the other with nothing in between but what is ours: inputs
/// refilled, outputs filled with `poison`, L2 flushed (where `cold`), the anchor kernel, the plan's
/// steps. Answer: GpuTimed.
struct GpuTimeCall {
    std::uint32_t program = 0;
    std::uint32_t workload = 0;
    std::vector<GpuRefill> refills;
    std::vector<std::uint64_t> output_bytes;  ///< of each output
    std::vector<std::uint8_t> poison;         ///< byte for each output
    std::vector<GpuTimedLaunch> launches;     ///< at most k_max_gpu_timed
    bool cold = true;
    /// Inputs are made before the first launch, and anew before the last one alone, from that one's
    /// seed. Outputs are overwritten before each launch all the same.
    bool made_once = false;
    /// So many launches follow each other without a pause: all of their inputs are made and all of
    /// their outputs overwritten before. They have one sample, the mean of their spans. Of a plan
    /// that a stream does not take so often, or that writes constants, only the first ones of each
    /// batch are played. Above 1 for events only; a divisor of the number of launches.
    std::uint32_t batch = 1;     ///< 1 to k_max_gpu_batch
    bool events = false;         ///< the clock is the driver's events although CUPTI is there
    std::uint64_t limit_ns = 0;  ///< of one launch
};

/// One launch like a timed one, during whose plan the device counts: its kernels run one after the
/// other, 40 ms apart (on an H200). Plans of more than k_most_counted_launches are not counted.
/// Answer: GpuProfiled.
struct GpuProfileCall {
    GpuTimeCall launch;  ///< with one launch
};

inline constexpr std::size_t k_max_gpu_programs = 16;
inline constexpr std::size_t k_max_gpu_buffers = 4096;
inline constexpr std::size_t k_max_gpu_plays = 256;
inline constexpr std::size_t k_max_gpu_timed = 256;
inline constexpr std::size_t k_max_gpu_batch = 64;

struct GpuDone {};

struct GpuLoaded {
    bool leaves_heap = false;  ///< GpuPackage::leaves_heap
};

/// What the candidate did wrong.
struct GpuFault {
    Outcome outcome = Outcome::launch_error;
    std::string reason;        ///< one sentence, without the workload
    bool runner_lost = false;  ///< the runner can do nothing more on the device
    /// launch_error only: memory that it wants is not there, which may be other tasks' doing.
    bool memory_short = false;
};

struct GpuPlayed {
    std::vector<double> wall_ns;    ///< of each launch that was done, host clock; for limits only
    std::optional<GpuFault> fault;  ///< of plays[wall_ns.size()]
};

struct GpuKernelTime {
    std::string name;  ///< as linked; "memset", "memcpy"
    double ns = 0;
};

struct GpuSample {
    double span_ns = 0;                       ///< first start to last end of what the plan queued
    double anchor_ns = 0;                     ///< of the anchor kernel right before
    std::vector<GpuKernelTime> kernels = {};  ///< CUPTI only; of the first launch of a call only
};

struct GpuTimed {
    std::vector<GpuSample> samples;  ///< one for each launch or batch
    std::string clock;               ///< "cupti" or "events"
    std::optional<GpuFault> fault;   ///< then samples are those before it, or fewer
    std::string why_events = {};     ///< of a call for CUPTI that was measured by events
    std::uint32_t batch = 1;         ///< launches that each sample is of, at most the call's
};

struct GpuProfiled {
    CounterReading counters;
    std::optional<GpuFault> fault;
};

/// JSON. Parsers are strict: every key, numbers in their ranges, lists within their limits.
[[nodiscard]] std::string to_json(const GpuStarted& message);
[[nodiscard]] Expected<GpuStarted> parse_gpu_started(std::string_view json);
[[nodiscard]] std::string to_json(const GpuBuffersCall& call);
[[nodiscard]] std::string to_json(const GpuLoadCall& call);
[[nodiscard]] std::string to_json(const GpuPlayCall& call);
[[nodiscard]] std::string to_json(const GpuTimeCall& call);
[[nodiscard]] std::string to_json(const GpuProfileCall& call);
[[nodiscard]] std::string to_json(const GpuDone& answer);
[[nodiscard]] std::string to_json(const GpuLoaded& answer);
[[nodiscard]] std::string to_json(const GpuPlayed& answer);
[[nodiscard]] std::string to_json(const GpuTimed& answer);
[[nodiscard]] std::string to_json(const GpuProfiled& answer);

using GpuCall = std::variant<GpuBuffersCall, GpuLoadCall, GpuPlayCall, GpuTimeCall, GpuProfileCall>;
/// Whichever call it says that it is; corrupt for others.
[[nodiscard]] Expected<GpuCall> parse_gpu_call(std::string_view json);
[[nodiscard]] Expected<GpuLoaded> parse_gpu_loaded(std::string_view json);
[[nodiscard]] Expected<GpuPlayed> parse_gpu_played(std::string_view json);
[[nodiscard]] Expected<GpuTimed> parse_gpu_timed(std::string_view json);
[[nodiscard]] Expected<GpuProfiled> parse_gpu_profiled(std::string_view json);

}  // namespace atl
