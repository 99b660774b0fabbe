#pragma once

#include "reward/base/error.hpp"
#include "reward/base/rng.hpp"
#include "reward/oracle.hpp"
#include "reward/verifier/schedule.hpp"
#include "reward/verifier/task_layout.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace atl {

/// Inputs of one workload and the answer to them.
struct Case {
    std::size_t workload = 0;  ///< index into TaskLayout::workloads()
    std::size_t distribution = 0;
    InputSet inputs;
    ExpectedOutputs expected;
    std::vector<Tolerance> tolerances;  ///< per output, resolved for what is expected
    int uses = 0;                       ///< candidates that saw it
    bool exposed = false;               ///< parts of the answer stand in a verdict: use it no more
};

/// A number nobody outside this process can know (getrandom).
[[nodiscard]] std::uint64_t secret_seed();

/// Makes inputs from secret seeds and asks the oracle. Not thread-safe. Errors are faults of ours
/// (a generator or the oracle refused). A call of the oracle that takes more than
/// k_most_oracle_seconds of processor time ends the process by SIGPROF.
class CaseMaker {
  public:
    CaseMaker(const TaskLayout& layout, const Oracle& oracle)
        : m_layout(layout), m_oracle(oracle) {}
    [[nodiscard]] Expected<InputSet> make_inputs(std::size_t workload,
                                                 std::size_t distribution) const;
    [[nodiscard]] Expected<Case> make(std::size_t workload, std::size_t distribution) const;
    /// The case that `inputs` and the oracle's answer to them make.
    [[nodiscard]] Expected<Case> answer(std::size_t workload, std::size_t distribution,
                                        InputSet inputs) const;

  private:
    const TaskLayout& m_layout;
    const Oracle& m_oracle;
};

/// Cases at the shape of one timed workload, under the task's first distribution. Their inputs are
/// shuffled from the donor, as those of launches that nobody judges are: a candidate cannot tell
/// one from the other.
struct TimedCases {
    std::size_t workload = 0;
    InputSet donor;
    std::vector<Case> cases;  ///< 2 to 4
};

/// Cases with their answers, kept in the verifier's process across candidates so that the oracle's
/// cost does not dominate. That is as good as fresh ones: every candidate meets them in a process
/// of its own, in buffers that were overwritten in between, and can hand nothing to the next one.
/// Still, a share of the small ones is renewed for every candidate (one in 8, at least one), a
/// case whose answer appeared in a verdict is renewed before it is used again, and the large ones
/// are renewed in idle time, or at the latest when k_most_uses candidates saw them.
/// Not thread-safe.
class CasePool {
  public:
    static constexpr std::size_t k_most_verified = 40;
    static constexpr int k_uses_before_renewal = 16;
    static constexpr int k_most_uses = 64;

    CasePool(const TaskLayout& layout, const Oracle& oracle);

    /// Makes what every evaluation needs: all small cases, three for each timed workload.
    [[nodiscard]] Status fill();
    /// Renews before a candidate: the share of small cases, exposed ones, worn out large ones.
    [[nodiscard]] Status renew();
    /// True when there is something to do in idle time.
    [[nodiscard]] bool has_idle_work() const;
    /// Makes or renews one large case (takes one call of the oracle).
    [[nodiscard]] Status do_idle_work();

    /// Smallest workload first. The case at 0 has the first distribution: the smoke test.
    [[nodiscard]] std::vector<Case>& verified() { return m_verified; }
    /// In TaskLayout::measured() order.
    [[nodiscard]] std::vector<TimedCases>& timed() { return m_timed; }
    /// One case per timed workload under another distribution than the first, by turns: faults
    /// that show only where much is done need more than one kind of input, too. Empty when the
    /// task has one distribution.
    [[nodiscard]] std::vector<Case>& varied() { return m_varied; }

  private:
    struct Place {
        std::size_t timed = 0;
        std::size_t index = 0;
    };
    [[nodiscard]] std::vector<Place> due_places(int uses, std::size_t at_least) const;
    [[nodiscard]] Status make_timed(Place place);
    [[nodiscard]] Expected<Case> make_varied(std::size_t timed);
    [[nodiscard]] Status renew_varied(int uses, std::size_t most);
    [[nodiscard]] bool is_varied_due(int uses) const;
    [[nodiscard]] std::size_t wanted_cases(std::size_t timed) const;

    const TaskLayout& m_layout;
    CaseMaker m_maker;
    CounterRng m_rng;
    std::vector<Case> m_verified;
    std::vector<TimedCases> m_timed;
    std::vector<Case> m_varied;
    std::uint64_t m_turn;  ///< of the distributions of m_varied
};

}  // namespace atl
