#pragma once

#include "reward/base/error.hpp"
#include "reward/verdict.hpp"
#include "reward/verifier/bench.hpp"
#include "reward/verifier/cases.hpp"
#include "reward/verifier/messages.hpp"
#include "reward/verifier/stop_rule.hpp"
#include "reward/verifier/timed_workload.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace atl {

/// One program that is timed: the candidate, or a rival in the same run.
struct Contestant {
    std::string name;
    Bench* bench = nullptr;
    std::vector<std::unique_ptr<TimedWorkload>> workloads;  ///< in TaskLayout::measured() order
    std::vector<WorkloadTiming> timings;
    std::optional<CandidateFault> fault;  ///< ends its part
};

/// Protocol "cpu-cold-v5": see TimedWorkload for one launch. All contestants take turns in random
/// order, sample by sample, so that their ratios come from one run; for each workload until every
/// one's quiet launches (see TimingSamples) give a 95 % interval of the median within +-confidence,
/// or took `measure_seconds`, or are most_samples(). Where the machine is disturbed, launches are
/// taken again, up to half as many and as long again; who then has too few quiet ones, or an
/// interval still wider than three times what was asked for, is marked noisy. At least two launches
/// per workload and contestant are judged (one where the pool has no second case), in a
/// confirmation as many as there are cases: the last one, the others at random moments. Not
/// thread-safe.
class Measurement {
  public:
    /// `contestants[0]` is the candidate.
    Measurement(const EvaluateOrder& order, const TaskLayout& layout, TimingTools& tools,
                std::vector<Contestant>& contestants);

    /// A few samples per workload. True when the candidate's geometric mean over the public
    /// workloads is above k_cutoff_factor * order.cutoff_ns: not worth measuring.
    [[nodiscard]] Expected<bool> screen();
    /// Everything; timings and faults are left in the contestants. Ends early when the candidate
    /// is at fault.
    [[nodiscard]] Status run();
    /// What was timed so far, with intervals, flags and bounds filled in.
    [[nodiscard]] Status collect();

  private:
    [[nodiscard]] bool alive(const Contestant& contestant) const { return !contestant.fault; }
    [[nodiscard]] bool candidate_failed() const { return m_contestants.front().fault.has_value(); }
    [[nodiscard]] int wanted_checks() const;
    [[nodiscard]] std::vector<std::size_t> random_order();
    [[nodiscard]] Status take(Contestant& contestant, std::size_t workload, bool checked);
    [[nodiscard]] Status measure_workload(std::size_t workload);
    [[nodiscard]] Status sample_until_finished(std::size_t workload);
    [[nodiscard]] Status judge_speed(std::size_t workload);
    [[nodiscard]] bool is_too_fast(const Contestant& contestant, std::size_t workload) const;

    const EvaluateOrder& m_order;
    const StopRule m_stop;
    const TaskLayout& m_layout;
    TimingTools& m_tools;
    std::vector<Contestant>& m_contestants;
};

}  // namespace atl
