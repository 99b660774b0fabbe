#pragma once

#include "reward/base/error.hpp"
#include "reward/base/rng.hpp"
#include "reward/verdict.hpp"
#include "reward/verifier/bench.hpp"
#include "reward/verifier/cache_flush.hpp"
#include "reward/verifier/cases.hpp"
#include "reward/verifier/timing_samples.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace atl {

/// What timing one workload shares with timing the others. Not thread-safe.
struct TimingTools {
    Anchor& anchor;
    CacheFlusher flusher;
    CounterRng rng;
    double timed_seconds = 0;     ///< spent inside timed launches
    double patience_seconds = 0;  ///< may still be spent waiting for an undisturbed moment

    /// What the core is like now; waits a little for an undisturbed moment while there is patience.
    [[nodiscard]] Anchor::Reading read_before_launch();
};

/// The timed launches of one candidate on one workload, one sample at a time.
///
/// Before every launch every input is written anew, in random chunks of a donor; outputs are
/// poisoned, slots (hence pointers) rotate, and all tensors are cold. In a checked launch the
/// chunks are those of a case whose answer is known and which this process has not seen, so that a
/// remembered answer is wrong, and the candidate cannot tell it from the others. In every launch
/// some places of the outputs are looked at: poison there means that the work was not done.
/// Not thread-safe.
class TimedWorkload {
  public:
    /// `first_case`: the case of `cases` that this process has seen already; the others serve here.
    TimedWorkload(Bench& bench, TimedCases& cases, std::size_t first_case, TimingTools& tools);

    /// One timed launch. A fault of the candidate is a value; an error is a fault of ours.
    [[nodiscard]] Expected<std::optional<CandidateFault>> sample();
    /// The same, and the outputs are judged. REQUIRES checks_left() > 0.
    [[nodiscard]] Expected<std::optional<CandidateFault>> checked_sample();
    /// How many cases there are whose contents this process has not seen.
    [[nodiscard]] std::size_t checks_left() const { return m_unseen.size(); }
    /// Throws the samples away (to measure again). What was judged among them does not count for
    /// those to come: a kernel must not be noisy at first to be looked at less afterwards.
    void forget_samples();

    [[nodiscard]] const TimingSamples& samples() const { return m_samples; }
    /// Launches of those counted now that were judged and found right.
    [[nodiscard]] int checks() const { return m_checks; }
    [[nodiscard]] WorkloadTiming timing() const;

  private:
    [[nodiscard]] Spot next_spot();
    [[nodiscard]] Contents inputs_of(const Case& judged, std::size_t tensor) const;
    [[nodiscard]] Expected<std::optional<CandidateFault>> launch(const Spot& spot,
                                                                 const ContentSource& source);
    struct Marks {
        std::uint64_t digest = 0;
        std::string unwritten;  ///< an output that still holds poison where it was looked at
    };
    [[nodiscard]] Marks look(const Spot& spot) const;
    [[nodiscard]] CandidateFault judge(const Bench::Check& check, std::uint64_t mark) const;

    Bench& m_bench;
    TimedCases& m_cases;
    TimingTools& m_tools;
    std::vector<std::size_t> m_unseen;  ///< cases that this process has not seen, in random order
    std::size_t m_turn = 0;
    TimingSamples m_samples;
    std::vector<std::uint64_t> m_marks;  ///< of the outputs of earlier launches
    std::vector<std::uint64_t> m_mark_places;
    int m_checks = 0;      ///< among m_samples
    int m_all_checks = 0;  ///< among thrown away ones too
};

}  // namespace atl
