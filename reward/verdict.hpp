#pragma once

#include "reward/base/error.hpp"
#include "reward/base/hash.hpp"
#include "reward/outcome.hpp"
#include "reward/profile_report.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// The stages of the cascade, cheapest first (DESIGN section 6). On disk: only append.
enum class Stage {
    lint = 0,
    compile = 1,
    smoke = 2,
    verify = 3,
    screen = 4,
    measure = 5,
    confirm = 6,
    profile = 7  ///< after measure or confirm, of what was asked for; it decides nothing
};

[[nodiscard]] std::string_view to_string(Stage stage);
[[nodiscard]] std::optional<Stage> stage_from(std::string_view name);

struct CompileReport {
    std::string compiler;  ///< "g++ 12.2.0"
    std::vector<std::string> flags;
    double seconds = 0;   ///< wall time of the compiler alone
    bool cached = false;  ///< the binary came from the compile cache
    std::uint64_t binary_bytes = 0;
    std::string log;  ///< trimmed to the cause; line numbers are the candidate's own
    /// Names all that a device is given of the candidate: the bytes of a shared object; of a GPU's
    /// package, which holds machine code and plans. Two sources with one are the same program.
    /// Zero: not known.
    Digest binary = {};
    std::map<std::string, double> code = {};  ///< by the names of reward/code_facts.hpp
};

/// One verification launch.
struct VerifyCase {
    std::string workload;
    std::string distribution;
    bool hidden = false;
    bool passed = false;
    std::string output;        ///< first failing output
    double max_abs_error = 0;  ///< over all outputs; NaN or infinity where they appeared
    double max_rel_error = 0;
    double matched_ratio = 1;
    std::int64_t first_bad_index = -1;  ///< flat, row-major
    double got = 0;
    double want = 0;
};

/// The launches of one kernel (copies and fills: "memcpy", "memset") within a timed launch.
struct KernelShare {
    std::string name;
    double launches = 0;  ///< per timed launch
    double share = 0;     ///< of the summed time of all that the plan queued
};

/// What only a GPU's clocks tell of a workload.
struct GpuTiming {
    std::string clock;                    ///< "cupti" or "events"
    std::vector<KernelShare> kernels;     ///< by CUPTI; most time first
    std::vector<double> anchors_ns;       ///< the anchor kernel right before each of samples_ns
    std::vector<double> clocks_mhz;       ///< of the multiprocessors between launches, by NVML
    std::vector<std::string> throttling;  ///< why NVML said that they were held back
    /// As WorkloadTiming::light_ns, with the bandwidth that copies were measured to reach on this
    /// device; 0: it was not measured.
    double measured_light_ns = 0;
};

/// Timing of one workload. Times are nanoseconds per launch.
struct WorkloadTiming {
    std::string workload;
    bool hidden = false;
    std::vector<double> samples_ns;  ///< raw, in the order taken
    /// Of those that count, at one frequency (TimingSamples). On a GPU their middle by ranks
    /// (centre_of(), statistics.hpp), or what a published protocol takes (gpu/protocols.hpp).
    double median_ns = 0;
    double low_ns = 0;  ///< 95 % confidence interval of that
    double high_ns = 0;
    double anchor_ratio = 1;  ///< how much less of the core was ours around them; 1: all was
    double clock_ratio = 1;   ///< cycle time over the reference's: median_ns is less it
    double light_ns = 0;      ///< speed of light: max(flops/peak, bytes/bandwidth)
    bool noisy = false;       ///< see TimingSamples::is_noisy()
    int reverified = 0;       ///< timed launches whose outputs were checked
    std::optional<GpuTiming> gpu;
};

struct MeasureReport {
    std::string protocol;  ///< "cpu-cold-v5"; part of the cache key
    std::vector<WorkloadTiming> workloads;
    /// Rivals measured interleaved with the candidate in the same run (confirm, baselines): name ->
    /// timings in the same order as `workloads`.
    std::map<std::string, std::vector<WorkloadTiming>> rivals;
};

/// Wall seconds spent per stage, queueing excluded.
struct StageTime {
    Stage stage = Stage::lint;
    double seconds = 0;
};

/// Everything measured about a candidate on a device. A value: scores are computed from it later.
struct Verdict {
    Outcome outcome = Outcome::rejected;
    Stage stage = Stage::lint;  ///< where the cascade ended
    std::string reason;         ///< one sentence for a person or a prompt; hidden workloads unnamed
    std::string kind;           ///< candidate kind
    std::string trust = "jailed";  ///< "jailed", "unjailed", "external"
    std::string device;            ///< "cpu:1 AMD EPYC ..."
    std::string toolchain;
    Digest key;  ///< verdict cache key
    std::optional<CompileReport> compile;
    std::vector<VerifyCase> verify;
    std::optional<MeasureReport> measure;
    std::map<std::string, double> scores;          ///< external kind: what the judge reported
    std::map<std::string, std::string> artefacts;  ///< external kind: texts from the judge
    std::string feedback;                          ///< external kind: the judge's words
    std::vector<StageTime> stage_times;
    double queue_seconds = 0;
    double timed_seconds = 0;  ///< inside timed launches, rivals included
    /// Peak resident memory of a right candidate's process beyond what it had before the candidate
    /// was loaded (its buffers among that), bytes: what the candidate allocates and touches, stacks
    /// and code included, to within some hundred KiB. Over all launches of that process on public
    /// workloads: those of verification and, where it is timed, the timed ones, which are of the
    /// same shapes. Absent when it was not measured: in a confirmation, whose processes meet hidden
    /// workloads, by an external judge, and in records from before it was measured.
    std::optional<std::uint64_t> memory_bytes;
    /// Why it takes that time; of right candidates of kinds that run on a GPU.
    std::optional<ProfileReport> profile;
    bool from_cache = false;
    std::string noise;  ///< empty, or why the numbers deserve doubt
};

inline constexpr int k_verdict_version = 1;  ///< of the JSON form

/// JSON, the form in which verdicts are stored and served. Non-finite numbers become the strings
/// "nan", "inf", "-inf"; bytes that are not UTF-8 become U+FFFD. parse_verdict checks every field:
/// stored bytes are not trusted. Errors: corrupt, limit, too_new.
[[nodiscard]] std::string to_json(const Verdict& verdict);
[[nodiscard]] Expected<Verdict> parse_verdict(std::string_view json);

/// CompileReport::binary; zero when nothing was compiled.
[[nodiscard]] Digest binary_of(const Verdict& verdict);

/// A time that may enter a score: finite and above zero. NaN, zero and negative times never win.
[[nodiscard]] bool is_usable_time(double time_ns);

/// Geometric mean of the medians over public workloads; nullopt when nothing was measured or a
/// median is not a usable time.
[[nodiscard]] std::optional<double> public_geomean_ns(const Verdict& verdict);

}  // namespace atl
