#pragma once

#include "reward/core_probe.hpp"

namespace atl {

/// Tells around every launch how fast the core runs and whether it has the core to itself. Not
/// thread-safe.
class Anchor {
  public:
    /// Learns from probes of some 50 ms what undisturbed means. A machine that was busy meanwhile
    /// would make all later ones look quiet, so it goes on learning.
    Anchor();

    /// What is known from elsewhere. Its clock_ns, where not 0, is what Reading::clock refers to
    /// from now on: all processes of one campaign then state times at one frequency.
    void refer_to(const CoreBest& known);

    struct Reading {
        double clock = 1;  ///< cycle time over that of the reference; 1.1 is a tenth slower
        double issue = 1;  ///< CoreProbe::issue_ratio() over the best; 1 is undisturbed
    };
    /// About 10 us.
    [[nodiscard]] Reading read();
    struct Wait {
        Reading last;
        double seconds = 0;  ///< after the first reading
    };
    /// Reads, and again and again for `seconds` at most, until the issue ratio is at most `quiet`.
    Wait wait_until(double quiet, double seconds);

  private:
    CoreBestLearner m_learner;
    CoreBest m_known;
};

}  // namespace atl
