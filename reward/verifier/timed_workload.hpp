#pragma once

#include "reward/base/error.hpp"
#include "reward/base/rng.hpp"
#include "reward/statistics.hpp"
#include "reward/verdict.hpp"
#include "reward/verifier/anchor.hpp"
#include "reward/verifier/bench.hpp"
#include "reward/verifier/cache_flush.hpp"
#include "reward/verifier/cases.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

namespace atl {

/// What timing one workload shares with timing the others. Not thread-safe.
struct TimingTools {
    Anchor& anchor;
    DriftLog drift;
    CacheFlusher flusher;
    CounterRng rng;
    double timed_seconds = 0;  ///< spent inside timed launches and anchors

    /// Runs the anchor when the last reading is older than a few milliseconds, or `now`.
    void read_anchor(bool now);
};

/// The timed launches of one candidate on one workload, one sample at a time.
///
/// Before every launch the contents of every input change: a random block of at least a sixteenth
/// of each tensor is overwritten with values from a donor, at a random place, and the block of the
/// launch before is put back. Outputs are poisoned, slots (hence pointers) rotate, and the caches
/// are made cold. In a checked launch the last block is only put back, so that the contents are
/// exactly those of a case whose answer is known; no contents appear twice in one process, so a
/// remembered answer is wrong. The candidate cannot tell a checked launch from the others.
/// Not thread-safe.
class TimedWorkload {
  public:
    /// `first_case`: the case of `cases` that this process has seen already; the others serve here.
    TimedWorkload(Bench& bench, TimedCases& cases, std::size_t first_case, int slots,
                  double overhead_ns, TimingTools& tools);

    /// One timed launch. A fault of the candidate is a value; an error is a fault of ours.
    [[nodiscard]] Expected<std::optional<CandidateFault>> sample();
    /// The same, and the outputs are judged. REQUIRES checks_left() > 0.
    [[nodiscard]] Expected<std::optional<CandidateFault>> checked_sample();
    /// An uncounted launch.
    [[nodiscard]] Expected<std::optional<CandidateFault>> warm_up();
    /// How many cases there are whose contents this process has not seen.
    [[nodiscard]] std::size_t checks_left() const;
    /// The buffers were used for another workload in between.
    void forget_buffers();
    /// Throws the samples away (to measure again).
    void forget_samples();

    [[nodiscard]] std::size_t count() const { return m_samples.size(); }
    [[nodiscard]] int checks() const { return m_checks; }
    [[nodiscard]] double elapsed_seconds() const { return m_elapsed_seconds; }
    /// Samples as the clock gave them, less the cost of an empty round.
    [[nodiscard]] std::vector<double> raw() const;
    /// Samples divided by the anchor's ratio at their time.
    [[nodiscard]] std::vector<double> corrected() const;
    [[nodiscard]] WorkloadTiming timing() const;

  private:
    struct Block {
        std::int64_t begin = 0;
        std::int64_t end = 0;
    };
    struct Slot {
        bool loaded = false;
        std::size_t base = 0;        ///< index into the cases
        std::vector<Block> foreign;  ///< per tensor input: elements that are not the case's
    };
    struct Sample {
        std::chrono::nanoseconds at{0};
        double ns = 0;
    };

    [[nodiscard]] Spot spot_of(std::size_t slot) const;
    [[nodiscard]] std::size_t next_slot();
    void load(std::size_t slot);
    void put_back(std::size_t slot);
    void change(std::size_t slot);
    void copy_elements(std::size_t slot, std::size_t tensor, const InputSet& from,
                       std::int64_t source, Block to) const;
    [[nodiscard]] Expected<std::optional<CandidateFault>> launch(std::size_t slot, bool counted);
    [[nodiscard]] std::uint64_t fingerprint(const Spot& spot) const;
    [[nodiscard]] CandidateFault judge(const Bench::Check& check, std::uint64_t mark) const;

    Bench& m_bench;
    TimedCases& m_cases;
    TimingTools& m_tools;
    double m_overhead_ns;
    std::vector<Slot> m_slots;
    std::set<std::size_t> m_shown;  ///< cases whose exact contents this process has seen
    std::size_t m_turn = 0;
    std::vector<Sample> m_samples;
    std::vector<std::uint64_t> m_marks;  ///< of the outputs of earlier launches
    std::vector<std::uint64_t> m_mark_places;
    int m_checks = 0;
    double m_elapsed_seconds = 0;
};

}  // namespace atl
