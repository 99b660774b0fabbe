#pragma once

#include "reward/base/error.hpp"
#include "reward/base/rng.hpp"
#include "reward/verifier/bench.hpp"
#include "reward/verifier/cases.hpp"

#include <optional>
#include <vector>

namespace atl {

/// What checking a candidate's answers found.
struct VerifyReport {
    std::optional<CandidateFault> fault;
    std::vector<VerifyCase> cases;
};

/// Launches a candidate on cases and judges the outputs. The ends that buffers are flush to
/// alternate from case to case and slots rotate, from a secret start; of each small workload one
/// case is launched at both ends, since an access past the end that does not touch an unmapped page
/// is rarely seen. An answer that is wrong is asked for once more with the same inputs at the other
/// ends: when it is right there the outcome is `inconsistent`. Launches that take longer together
/// than they may are a `timeout`. Not thread-safe.
class CaseVerifier {
  public:
    /// Tensors together; a launch on so little takes microseconds.
    static constexpr std::uint64_t k_most_bytes_at_both_ends = 1 << 20;

    /// `allowance_s`: what the launches may take together (verification_allowance_s()).
    CaseVerifier(Bench& bench, int slots, double allowance_s);

    /// One case, and when it is right at one end, at the other ends too.
    [[nodiscard]] Expected<VerifyReport> at_both_ends(Case& judged);
    /// All cases, the first of each small workload at both ends; ends at the first fault.
    [[nodiscard]] Expected<VerifyReport> all(std::vector<Case>& cases);
    /// One case at one end.
    [[nodiscard]] Expected<VerifyReport> one(Case& judged);

  private:
    [[nodiscard]] Spot next_spot(const Case& judged);
    [[nodiscard]] Expected<Bench::Check> try_once(const Spot& spot, const Case& judged);
    [[nodiscard]] Expected<Bench::Check> try_at(const Spot& spot, Case& judged);

    Bench& m_bench;
    int m_slots;
    double m_allowance_s;
    double m_spent_s = 0;
    std::uint64_t m_turn;
};

/// The same slot, flush to the other ends.
[[nodiscard]] Spot other_ends(Spot spot);

}  // namespace atl
