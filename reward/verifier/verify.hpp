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
/// alternate from case to case and slots rotate, from a secret start. An answer that is wrong is
/// asked for once more with the same inputs at the other ends: when it is right there the outcome
/// is `inconsistent`. Not thread-safe.
class CaseVerifier {
  public:
    CaseVerifier(Bench& bench, int slots);

    /// One launch on the smallest case, and a second one at the other ends.
    [[nodiscard]] Expected<VerifyReport> smoke(Case& first);
    /// All cases; ends at the first fault.
    [[nodiscard]] Expected<VerifyReport> all(std::vector<Case>& cases);
    /// One case.
    [[nodiscard]] Expected<VerifyReport> one(Case& judged);

  private:
    [[nodiscard]] Spot next_spot(const Case& judged);
    [[nodiscard]] Expected<Bench::Check> try_once(const Spot& spot, const Case& judged);
    [[nodiscard]] Expected<Bench::Check> try_at(const Spot& spot, Case& judged);

    Bench& m_bench;
    int m_slots;
    std::uint64_t m_turn;
};

/// The same slot, flush to the other ends.
[[nodiscard]] Spot other_ends(Spot spot);

}  // namespace atl
