#pragma once

#include <cstddef>
#include <vector>

namespace atl {

/// What two sequences of instructions took that touch no memory, so that their times depend on the
/// core alone, whatever ran before them and whatever it left in the caches.
struct CoreProbe {
    double clock_ns = 0;  ///< 2,000 multiplications, each of the one before: cycles over frequency
    double issue_ns = 0;  ///< 19,200 independent additions: all that the core can start

    /// Does not depend on the frequency. A constant of the processor, larger (by 1.3 to 2, seen)
    /// while a sibling hyperthread takes its share of every cycle, or something interrupts.
    [[nodiscard]] double issue_ratio() const { return issue_ns / clock_ns; }
};

/// Takes about 10 us. Thread-safe.
[[nodiscard]] CoreProbe probe_core();

/// What probes say of a core at its fastest and undisturbed; 0 where nothing is known.
struct CoreBest {
    double clock_ns = 0;
    double issue_ratio = 0;

    /// The smaller one of each, of those known.
    void improve(const CoreBest& other);
};

/// Learns CoreBest from probes: the smallest median of 32 in sequence, so that no single reading
/// that went wrong decides. Not thread-safe.
class CoreBestLearner {
  public:
    static constexpr std::size_t k_burst = 32;

    void learn(const CoreProbe& probe);
    /// Takes so many bursts of probes now.
    void take(int bursts);
    [[nodiscard]] const CoreBest& best() const { return m_best; }

  private:
    std::vector<double> m_clock_ns;
    std::vector<double> m_issue_ratios;
    CoreBest m_best;
};

}  // namespace atl
