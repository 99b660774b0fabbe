#pragma once

#include "reward/base/error.hpp"
#include "reward/base/rng.hpp"
#include "reward/gpu/gpu_case_pool.hpp"
#include "reward/gpu/gpu_programs.hpp"
#include "reward/gpu/gpu_task.hpp"
#include "reward/verdict.hpp"
#include "reward/verifier/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace atl {

/// Timed launches of one program on one workload.
struct GpuTimes {
    std::vector<double> spans_ns;
    std::vector<double> anchors_ns;
    std::vector<double> judged_ns;  ///< of the launches whose outputs were judged
    double seconds = 0;             ///< of all spans

    [[nodiscard]] double median_ns() const;
    /// The judged launches were all slower than the median by more than chance: more of them are
    /// due, and the median does not stand for the workload.
    [[nodiscard]] bool held_back() const;
};

/// One of the programs whose launches are interleaved.
struct GpuContestant {
    std::string name;
    std::uint32_t program = 0;
    std::optional<CandidateFault> fault;
    std::vector<GpuTimes> workloads;  ///< in TaskLayout::measured() order
};

/// Measures contestants (protocol k_cuda_protocol, reward/gpu/README.md): calls of a few launches
/// each, in random order of contestants, until the interval of the median is narrow enough. Inputs
/// are new in every launch; the last launch of some calls, and of the last one always, is judged.
/// Errors are faults of ours. Used on the thread of its Gpu.
class GpuMeasurement {
  public:
    /// The candidate comes first among `contestants`. `best_anchor_ns`: of this device so far; 0:
    /// none.
    GpuMeasurement(const EvaluateOrder& order, GpuTask& task, GpuCasePool& pool,
                   GpuPrograms& programs, CounterRng& rng, double& best_anchor_ns,
                   std::vector<GpuContestant>& contestants);

    /// The candidate's first launches; true when it is hopeless.
    [[nodiscard]] Expected<bool> screen();
    [[nodiscard]] Status run();
    /// One for each workload that was timed.
    [[nodiscard]] Expected<std::vector<WorkloadTiming>> timings(const GpuContestant& of) const;
    /// "cupti" or "events".
    [[nodiscard]] const std::string& clock() const { return m_clock; }
    [[nodiscard]] double timed_seconds() const { return m_timed_seconds; }

  private:
    [[nodiscard]] Status take(GpuContestant& contestant, std::size_t workload, std::size_t launches,
                              bool judged, bool events = false);
    [[nodiscard]] Status judge(GpuContestant& contestant, std::size_t workload,
                               const GpuTrial& trial);
    [[nodiscard]] Status measure_workload(std::size_t workload);
    [[nodiscard]] Status sample_until_finished(std::size_t workload);
    [[nodiscard]] Status judge_speed(std::size_t workload);
    [[nodiscard]] Status compare_clocks(std::size_t workload);
    [[nodiscard]] Expected<bool> is_too_fast(const GpuTimes& times, std::size_t workload) const;
    [[nodiscard]] bool finished(const GpuTimes& times) const;
    [[nodiscard]] std::size_t call_size(const GpuTimes& times) const;
    [[nodiscard]] std::size_t layout_index(std::size_t workload) const;
    [[nodiscard]] bool confirming() const { return m_order.level == Level::confirm; }

    const EvaluateOrder& m_order;
    GpuTask& m_task;
    GpuCasePool& m_pool;
    GpuPrograms& m_programs;
    CounterRng& m_rng;
    double& m_best_anchor_ns;
    std::vector<GpuContestant>& m_contestants;
    std::string m_clock;
    double m_timed_seconds = 0;
    double m_confidence;
};

}  // namespace atl
