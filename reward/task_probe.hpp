#pragma once

#include "reward/child_report.hpp"
#include "reward/native_entry.hpp"
#include "reward/task.hpp"

#include <map>
#include <string>
#include <vector>

namespace atl {

/// One workload under one distribution, with inputs and the reference's answer.
struct ProbeCase {
    const Workload* workload = nullptr;
    const Distribution* distribution = nullptr;
    std::map<std::string, std::int64_t> axes;
    InputSet inputs;
    ExpectedOutputs want;

    [[nodiscard]] std::string name() const {
        return "workload '" + workload->id + "' under '" + distribution->name + "'";
    }
};

/// Runs a task's reference on the linter's cases. For the linter's child processes only: it calls
/// the task's code. Not thread-safe.
class TaskProbe {
  public:
    TaskProbe(const Task& task, const NativeEntry& reference)
        : m_task(task), m_reference(reference) {}

    /// Which of (workload, distribution) the linter looks at: every verify workload under every
    /// distribution, and measured ones of tolerable size under the first.
    [[nodiscard]] std::vector<ProbeCase> plan() const;
    /// Fills in inputs and answer from `seed`.
    [[nodiscard]] Status fill(ProbeCase& probe, std::uint64_t seed) const;
    /// The answer to inputs; every element holds `poison` before.
    [[nodiscard]] ExpectedOutputs answer(const ProbeCase& probe, InputSet& inputs,
                                         double poison) const;
    /// Whether `values` would pass as output `index` of the case, after rounding to its dtype.
    [[nodiscard]] bool passes(const ProbeCase& probe, std::size_t index,
                              const std::vector<double>& values) const;
    /// Largest error of `values` in units of what the tolerance allows; above 1 it fails.
    [[nodiscard]] double error_over_tolerance(const ProbeCase& probe, std::size_t index,
                                              const std::vector<double>& values) const;

    [[nodiscard]] const Task& task() const { return m_task; }

  private:
    const Task& m_task;
    const NativeEntry& m_reference;
};

/// The reference's own faults: unwritten or non-finite elements, answers that change from call to
/// call, inputs it writes to, an exact answer that its own tolerance refuses.
void probe_reference(const TaskProbe& probe, ChildReport& report);

/// Answers that know nothing and must fail: zeros, constants, the mean, an echo of an input, the
/// answer to other inputs. Inputs whose change must show.
void probe_cheats(const TaskProbe& probe, ChildReport& report);
void probe_dependence(const TaskProbe& probe, ChildReport& report);

/// Answers from inputs of less precision, which must fail unless the policy allows it.
void probe_precision(const TaskProbe& probe, ChildReport& report);

/// A starter's or baseline's answers, which must pass.
void probe_candidate(const TaskProbe& probe, const NativeEntry& candidate,
                     const std::string& subject, const std::string& rule, ChildReport& report);

}  // namespace atl
