#pragma once

#include "reward/verdict.hpp"

#include <map>
#include <string>

namespace atl {

/// Median time per public workload of the baseline a speed-up is measured against.
using BaselineTimes = std::map<std::string, double>;  ///< workload id -> ns

[[nodiscard]] BaselineTimes baseline_times(const Verdict& verdict);

/// A verdict beside its baseline, as the formulas of scores look at it. Hidden workloads never
/// count. A ratio is 0 when nothing was measured, or when any public workload has no usable time:
/// nothing can be skipped to advantage. Both must outlive this.
class Judged {
  public:
    Judged(const Verdict& verdict, const BaselineTimes& baseline)
        : m_verdict(verdict), m_baseline(baseline) {}

    [[nodiscard]] const Verdict& verdict() const { return m_verdict; }
    [[nodiscard]] bool correct() const { return is_correct(m_verdict.outcome); }
    /// The source became a program: whatever was wrong came later.
    [[nodiscard]] bool compiled() const;
    /// It was not found wrong but ended its evaluation: crashed, hung, took what it may not have.
    [[nodiscard]] bool broke_off() const;
    [[nodiscard]] bool cheated() const { return m_verdict.outcome == Outcome::reward_hack; }

    /// Geometric mean over workloads of baseline / candidate time.
    [[nodiscard]] double speedup() const;
    /// Arithmetic mean of the same ratios.
    [[nodiscard]] double mean_speedup() const;
    /// speedup() with the upper ends of the candidate's 95 % intervals for its times.
    [[nodiscard]] double cautious_speedup() const;
    /// speedup() against the fastest of the rivals that were measured beside it; 0: none was.
    [[nodiscard]] double rival_speedup() const;
    /// Geometric mean over workloads of speed-of-light / candidate time.
    [[nodiscard]] double light_share() const;
    /// Arithmetic mean over workloads of SOL-ExecBench's S; 0 where a baseline or light is missing.
    [[nodiscard]] double sol_score() const;
    /// Share of the candidate's own kernels, 0 to 1, in the time of all that its plan queued, the
    /// least of all workloads; copies and fills are not its own. 1 where nothing else can be
    /// queued (CPU) or the clock does not tell.
    [[nodiscard]] double coverage() const;
    /// Of the public cases that verification came to, those that passed; 0 when it came to none.
    [[nodiscard]] double passed_share() const;

  private:
    const Verdict& m_verdict;
    const BaselineTimes& m_baseline;
};

}  // namespace atl
