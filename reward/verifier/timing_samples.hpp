#pragma once

#include "reward/statistics.hpp"
#include "reward/verifier/anchor.hpp"

#include <cstddef>
#include <vector>

namespace atl {

/// One timed launch, and how undisturbed the machine was right before and right after it.
struct TimedSample {
    double ns = 0;
    Anchor::Reading before;
    Anchor::Reading after;
    bool judged = false;  ///< its outputs were found right

    /// The larger one of the two issue ratios.
    [[nodiscard]] double disturbance() const;
    /// What it would have taken at the reference's frequency. The frequency is that of right before
    /// the launch: how a kernel slows the core down is the kernel's own cost.
    [[nodiscard]] double scaled_ns() const { return ns / before.clock; }
};

/// The launches of one program on one workload, and which of them count. Where hyperthreads are
/// shared, somebody else's work makes launches slower by up to a factor of two, for milliseconds or
/// minutes: so a launch counts when the anchor said before and after it that the core was its own.
/// The anchor decides, never the launch's own time, so what counts is no selection of good luck.
/// All times are stated at one clock frequency: the host changes it by a quarter within minutes.
/// Where hardly any launch was quiet, the least disturbed ones count, less what the anchor says of
/// the disturbance. Not thread-safe.
class TimingSamples {
  public:
    static constexpr double k_quiet = 1.02;    ///< largest disturbance of a quiet launch
    static constexpr std::size_t k_least = 6;  ///< fewer cannot give a 95 % interval
    /// A reported median is not above that multiple of the fastest judged launch (see held_back).
    static constexpr double k_faster_than_verified = 1.05;
    /// A little wider than asked for is what a cap on launches costs, and no news.
    static constexpr double k_noisy_factor = 3;

    void add(const TimedSample& sample) { m_samples.push_back(sample); }
    void mark_last_judged() { m_samples.back().judged = true; }
    void clear() { m_samples.clear(); }

    [[nodiscard]] std::size_t size() const { return m_samples.size(); }
    [[nodiscard]] std::size_t quiet() const;
    /// Seconds inside of quiet launches, and inside of all.
    [[nodiscard]] double quiet_seconds() const;
    [[nodiscard]] double seconds() const;
    /// The launches' times on the clock, in the order taken.
    [[nodiscard]] std::vector<double> raw() const;
    /// The scaled times that count: of all quiet launches if they are k_least or more, else of the
    /// less disturbed half (of k_least at least), each divided by the smaller of its issue ratios
    /// when above 1; but none is less than the fastest launch: nothing is said to
    /// be faster than it was ever seen to be.
    [[nodiscard]] std::vector<double> counted() const;
    /// The disturbance, and the clock, of the middle one of those that count; 1 without any.
    [[nodiscard]] double disturbance() const;
    [[nodiscard]] double clock() const;
    /// The median of those that count, or more when even the fastest judged launch is more than
    /// k_faster_than_verified times as slow (divided by the smaller of its issue ratios): who
    /// answers with garbage now and then must not win by it when no judged launch meets any, nor
    /// when all judged ones were disturbed. REQUIRES a sample.
    [[nodiscard]] double median_ns() const;
    /// The 95 % interval of the median of those that count. Where hardly any was quiet, up to that
    /// of the same launches before they were divided: how much of the disturbance a kernel suffers
    /// is not known.
    [[nodiscard]] MedianInterval interval() const;
    /// Whether median_ns() is above the median for that reason.
    [[nodiscard]] bool held_back() const;
    /// Whether interval() is at most +-`confidence` of the median.
    [[nodiscard]] bool is_narrow(double confidence) const;
    /// Whether median_ns() is not to be relied on: too few quiet launches, or less than half (where
    /// disturbances are the rule, many begin and end inside of a launch), an interval wider than
    /// k_noisy_factor times what was asked for, or held back.
    [[nodiscard]] bool is_noisy(double confidence) const;

  private:
    [[nodiscard]] std::vector<const TimedSample*> that_count() const;

    std::vector<TimedSample> m_samples;
};

}  // namespace atl
