#pragma once

#include "reward/candidate.hpp"
#include "reward/task.hpp"
#include "reward/verdict.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace atl {

/// How far the cascade goes.
enum class Level {
    verify,   ///< right or wrong, not timed
    measure,  ///< + timed on the public workloads
    confirm,  ///< fresh process, fresh seeds, hidden workloads too, interleaved with the rivals
};

[[nodiscard]] std::string_view to_string(Level level);

struct Rival {
    std::string name;  ///< "previous best", "baseline", "openblas"
    Candidate candidate;
    std::vector<std::string> libraries;  ///< trusted baselines only
};

/// Who asks: those who ask for much share a queue with those who ask for little.
struct Asker {
    std::string client;
    std::uint64_t connection = 0;  ///< of that client

    bool operator==(const Asker&) const = default;
};

struct EvaluationRequest {
    TaskPtr task;
    Candidate candidate;
    Level level = Level::measure;
    std::vector<Rival> rivals;  ///< confirm only
    /// > 0: a geomean of the first three launches above k_cutoff_factor times this ends as
    /// slower_than_cutoff.
    double cutoff_ns = 0;
    std::chrono::seconds deadline{300};  ///< after which the job is an infrastructure fault
    int priority = 0;                    ///< higher first
    Asker asker;                         ///< within a priority, askers take turns
    /// Count what the device does, where the kind has counters (Verdict::profile, source "cupti").
    bool profile = false;
    bool use_cache = true;
    /// A source whose death or hang was once pinned on it, at whatever level, is not run again: its
    /// answer is what is on record (from_cache). Kept in the cache folder, else in memory.
    bool quarantine = false;
    /// Once it asks, the answer is a fault (interrupted), whatever the deadline. What others wait
    /// for too goes on for them; else its processes are ended.
    std::stop_token cancel = {};
};

/// A candidate whose public geomean is above so many times the cutoff is not measured in full.
inline constexpr double k_cutoff_factor = 1.5;

/// Whether what ended so, with this public geomean (0: none), answers a request with `cutoff_ns`:
/// what stopped at a cut-off answers only requests that would stop there too.
[[nodiscard]] bool answers_at_cutoff(Outcome outcome, double time_ns, double cutoff_ns);

/// A fault of ours: no worker, lost device, deadline in the queue. Never a score.
struct InfrastructureFault {
    Error error;
    int attempts = 1;
};

using EvaluationResult = tl::expected<Verdict, InfrastructureFault>;

struct EvaluatorStats {
    std::uint64_t submitted = 0;
    std::uint64_t completed = 0;
    std::uint64_t cache_hits = 0;
    std::uint64_t coalesced = 0;  ///< joined an identical job in flight
    std::uint64_t faults = 0;
    std::uint64_t worker_restarts = 0;
    double compile_seconds = 0;
    /// In which devices (judges, where a task has its own) worked on jobs that have ended,
    /// together.
    double busy_seconds = 0;
};

struct DeviceFacts;

/// Task + candidate -> verdict, asynchronously: the seam between the engine (or the server) and
/// everything that compiles and runs. Thread-safe.
class Evaluator {
  public:
    virtual ~Evaluator() = default;
    using Done = std::function<void(EvaluationResult)>;
    /// Enqueues and returns at once. `done` is called exactly once, on a thread of the evaluator
    /// (never from inside submit); it must not block.
    virtual void submit(EvaluationRequest request, Done done) = 0;
    [[nodiscard]] virtual EvaluatorStats stats() const = 0;
    /// How many jobs can be in work at once; more only wait.
    [[nodiscard]] virtual int parallelism() const = 0;
    /// What verdicts depend on besides task and candidate: device, toolchain, protocol.
    [[nodiscard]] virtual std::string fingerprint() const = 0;
    /// Human description, e.g. "cpu:1 (core 1 of 2), g++ 12.2.0, sandbox full".
    [[nodiscard]] virtual std::string description() const = 0;
    /// What its devices are (device_facts.hpp); nullptr where it cannot say or has none.
    [[nodiscard]] virtual std::shared_ptr<const DeviceFacts> device_facts() const {
        return nullptr;
    }
};

/// Blocks for one result; for tools and tests.
[[nodiscard]] EvaluationResult evaluate_and_wait(Evaluator& evaluator, EvaluationRequest request);

/// Limits and targets of one evaluation.
struct EvaluationLimits {
    std::uint64_t memory_bytes = 4ull << 30;  ///< cap of one candidate
    double compile_timeout_s = 30;
    double launch_timeout_s = 10;
    double confidence = 0.01;       ///< target half width of the interval, relative to the median
    double measure_seconds = 0.15;  ///< cap of timed launches per workload
    /// How CUDA candidates are timed, but in confirmations: a name of reward/gpu/protocols.hpp.
    /// Empty: the default one.
    std::string protocol;
};

/// Seconds that the verification launches of one candidate may take together: ten times what one
/// may take, twice that where hidden workloads take part. A kernel beyond it is a timeout: right or
/// not, nobody waits for it.
[[nodiscard]] double verification_allowance_s(Level level, double launch_timeout_s);

/// The deadline of a request that `ahead` others like it may be ahead of: `asked`, or longer where
/// the limits let this evaluation and its share of those take longer, so that what is slow ends by
/// its limits, as a verdict, and not by the deadline, as a fault of ours. `at_once`: how many the
/// slowest stage takes at a time: devices, or judges where the task has one of its own.
[[nodiscard]] std::chrono::seconds deadline_for(const EvaluationRequest& request,
                                                const EvaluationLimits& limits,
                                                std::chrono::seconds asked, std::size_t ahead,
                                                int at_once);

struct LocalEvaluatorOptions {
    /// Of the candidates: is_gpu_kind() takes GPUs and what compiles for them, anything else CPU
    /// devices.
    std::string kind;
    /// A clone of CUTLASS, or its folder of headers, for CUDA candidates that include it; empty:
    /// $ATOLL_CUTLASS, else none.
    std::string cutlass;
    std::vector<int> gpus;    ///< ordinals, one lane each; empty: the first one
    int device_cores = 1;     ///< cores of the CPU device (pinned); the rest compile
    int devices = 1;          ///< how many such devices
    int compile_workers = 0;  ///< 0: one per core that belongs to no device, at least 1
    std::string compiler;     ///< empty: $CXX, g++, c++, clang++ in that order
    std::string required_sandbox =
        "full";                ///< "full", "restricted" or "none": refuse to run below it
    std::string cache_folder;  ///< empty: verdicts are cached in memory only
    /// Told of the first verdict that could not be kept in it (the verdict stands); on a thread of
    /// the evaluator, which may be as late as in its destructor.
    std::function<void(const Error&)> on_cache_trouble;
    EvaluationLimits limits;
    /// False where the tasks at hand are judged by their own programs (see task_needs_device()):
    /// then neither compiler nor sandbox is demanded, no device is started, and every core judges.
    bool needs_device = true;
    /// Where the highest peaks seen are kept (peaks_file.hpp); empty paths are passed over.
    std::vector<std::filesystem::path> peaks_files;
};

/// Whether candidates for `task` are compiled and run by Atoll.
[[nodiscard]] bool task_needs_device(const Task& task);

/// The options with the kind and the need of a device that the task has.
[[nodiscard]] LocalEvaluatorOptions options_for(const Task& task, LocalEvaluatorOptions options);

/// What make_local_evaluator() refuses without starting anything: too few cores for the devices, a
/// weaker sandbox than is asked for, a compiler or parts of CUDA that are not there.
[[nodiscard]] Status check_local_evaluator(const LocalEvaluatorOptions& options);

/// The CPU devices, GPUs or external judges of this machine: compile, run and verify processes
/// under one supervisor. Fails (with what to do) when there is no compiler or GPU, the sandbox is
/// too weak, or the cache folder cannot be written.
[[nodiscard]] Expected<std::unique_ptr<Evaluator>> make_local_evaluator(
    const LocalEvaluatorOptions& options);

}  // namespace atl
