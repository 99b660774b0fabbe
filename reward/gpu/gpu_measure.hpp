#pragma once

#include "reward/base/error.hpp"
#include "reward/base/rng.hpp"
#include "reward/gpu/gpu_case_pool.hpp"
#include "reward/gpu/gpu_programs.hpp"
#include "reward/gpu/gpu_task.hpp"
#include "reward/gpu/protocols.hpp"
#include "reward/gpu/timing_facts.hpp"
#include "reward/statistics.hpp"
#include "reward/verdict.hpp"
#include "reward/verifier/light.hpp"
#include "reward/verifier/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace atl {

/// Shortest time of the anchor kernel on a device so far, ns; 0: none. Times of the two clocks do
/// not compare.
struct BestAnchors {
    double cupti_ns = 0;
    double events_ns = 0;

    [[nodiscard]] double& of(const std::string& clock) {
        return clock == "cupti" ? cupti_ns : events_ns;
    }
};

/// Timed launches of one program on one workload.
struct GpuTimes {
    /// What unjudged launches can gain over the judged ones, at most.
    static constexpr double k_tolerated = 1.05;

    std::vector<double> spans_ns;
    std::vector<std::uint32_t> slots;  ///< which buffers each had
    std::vector<double> anchors_ns;
    std::vector<double> judged_ns;  ///< of the launches whose outputs were judged
    GpuTimingFacts facts;
    double seconds = 0;  ///< of all spans

    [[nodiscard]] Centre centre() const { return centre_of(spans_ns, slots); }
    /// What is reported, unless the protocol wants another statistic.
    [[nodiscard]] double middle_ns() const;
    /// The judged launches were all slower than the middle by more than chance: more of them are
    /// due, and the middle does not stand for the workload.
    [[nodiscard]] bool held_back() const;
};

/// How many launches of `ns` the events time together when clocks are compared: 1 from 100 us on,
/// of shorter ones so many that they take 0.2 ms, from 2 to 16 (and no more than there are slots).
[[nodiscard]] std::uint32_t event_batch_for(double ns);

/// One of the programs whose launches are interleaved.
struct GpuContestant {
    std::string name;
    std::uint32_t program = 0;
    std::optional<CandidateFault> fault;
    std::vector<GpuTimes> workloads;  ///< in TaskLayout::measured() order
    /// Of the cases that are kept for judged launches how many it has met, likewise.
    std::vector<std::size_t> met = {};
};

/// Measures contestants by the order's protocol (reward/gpu/protocols.hpp). Ours: calls of a few
/// launches each, in random order of contestants, until the interval of their middle (centre_of())
/// is narrow enough. Inputs are new in every launch; the last launch of one of the first two calls,
/// and of the last one always, is judged. The first of those calls is as long as any, the others
/// are of random length, so that any position in a call may be judged, and never one that a later
/// launch could put right. Errors are faults of ours. Used on the thread of its Gpu.
class GpuMeasurement {
  public:
    /// The candidate comes first among `contestants`.
    GpuMeasurement(const EvaluateOrder& order, GpuTask& task, GpuCasePool& pool,
                   GpuPrograms& programs, CounterRng& rng, BestAnchors& best_anchors,
                   std::vector<GpuContestant>& contestants, const GpuDeviceFacts& device = {});

    /// The candidate's first launches; true when it is hopeless.
    [[nodiscard]] Expected<bool> screen();
    [[nodiscard]] Status run();
    /// One for each workload that was timed.
    [[nodiscard]] Expected<std::vector<WorkloadTiming>> timings(const GpuContestant& of) const;
    /// "cupti" or "events".
    [[nodiscard]] const std::string& clock() const { return m_clock; }
    [[nodiscard]] const GpuProtocol& protocol() const { return m_protocol; }
    [[nodiscard]] double timed_seconds() const { return m_timed_seconds; }

  private:
    /// One call of launches that count.
    [[nodiscard]] Status take(GpuContestant& contestant, std::size_t workload, std::size_t launches,
                              bool judged);
    [[nodiscard]] Expected<GpuTimeCall> make_call(const GpuContestant& contestant,
                                                  std::size_t workload, std::size_t launches);
    /// How many launches of the workload a call may have.
    [[nodiscard]] std::size_t most_launches(std::size_t workload) const;
    /// New seeds for those whose donor another one has, but not for `kept`.
    void part_donors(GpuTimeCall& call, std::size_t workload, std::size_t kept);
    [[nodiscard]] Expected<GpuCase*> next_case(GpuContestant& contestant, std::size_t workload);
    /// Gives one launch of the call the inputs of a case that the contestant has not met.
    [[nodiscard]] Expected<GpuTrial> judge_one(GpuContestant& contestant, GpuTimeCall& call,
                                               std::size_t workload, std::size_t launch);
    struct JudgedBatch {
        std::vector<GpuCase> cases;  ///< that `trials` point to, if they are not kept ones
        std::vector<GpuTrial> trials;
    };
    /// Of small tensors all launches of the last batch, of others one of it that nobody knows.
    [[nodiscard]] Expected<JudgedBatch> judge_last_batch(GpuContestant& contestant,
                                                         GpuTimeCall& call, std::size_t workload);
    /// What came of the call; a fault is the contestant's from then on.
    [[nodiscard]] Expected<GpuTimed> time(GpuContestant& contestant, std::size_t workload,
                                          const GpuTimeCall& call);
    void add(GpuTimes& times, const GpuTimed& timed, const GpuTimeCall& call);
    void do_without_cupti();
    [[nodiscard]] Status judge(GpuContestant& contestant, std::span<const GpuTrial> trials,
                               const GpuTimeCall& call);
    /// The last launches of a contestant, of which the very last one is judged.
    [[nodiscard]] Status close(GpuContestant& contestant, std::size_t workload);
    [[nodiscard]] Status measure_workload(std::size_t workload);
    /// As many launches as the protocol says, in one call.
    [[nodiscard]] Status measure_trials(GpuContestant& contestant, std::size_t workload);
    [[nodiscard]] Status sample_until_finished(std::size_t workload);
    [[nodiscard]] Status judge_speed(std::size_t workload);
    [[nodiscard]] Expected<SpeedOfLight> light_of(std::size_t workload) const;
    [[nodiscard]] Status call_too_fast(std::size_t workload);
    [[nodiscard]] Status compare_clocks(std::size_t workload);
    [[nodiscard]] std::uint32_t first_batch(std::size_t workload, double ns) const;
    [[nodiscard]] Expected<bool> is_too_fast(const GpuTimes& times, std::size_t workload) const;
    [[nodiscard]] bool finished(const GpuTimes& times) const;
    [[nodiscard]] std::size_t call_size(const GpuTimes& times) const;
    /// No more than seem to be needed.
    [[nodiscard]] std::size_t next_size(const GpuTimes& times) const;
    /// Of a call whose last launch is judged.
    [[nodiscard]] std::size_t judged_size(const GpuTimes& times);
    [[nodiscard]] std::string told(std::size_t workload, const std::string& reason) const;
    [[nodiscard]] std::size_t layout_index(std::size_t workload) const;
    [[nodiscard]] bool confirming() const { return m_order.level == Level::confirm; }

    const EvaluateOrder& m_order;
    GpuTask& m_task;
    GpuCasePool& m_pool;
    GpuPrograms& m_programs;
    CounterRng& m_rng;
    BestAnchors& m_best_anchors;
    std::vector<GpuContestant>& m_contestants;
    std::string m_clock;
    const GpuDeviceFacts m_device;
    std::size_t m_lost_calls = 0;  ///< of which CUPTI did not see all
    bool m_by_events = false;      ///< CUPTI lost too many: all is timed by events
    bool m_disturbed = false;      ///< a runner ended since the device was quiet
    double m_timed_seconds = 0;
    double m_confidence;
    const GpuProtocol& m_protocol;
};

}  // namespace atl
