#pragma once

#include "reward/verifier/cache_flush.hpp"

#include <cstddef>
#include <vector>

namespace atl {

/// Two fixed kernels whose times tell whether this core is disturbed at the moment: independent
/// multiply-adds (who shares its execution units, and its clock frequency) and a cold read of 256
/// KiB (who shares its memory and last-level cache). About 40 us. Not thread-safe.
class Anchor {
  public:
    /// Calibrates: ratio 1 stands for the median of the fastest burst of runs so far. A machine
    /// that was busy meanwhile would make all later times look short, so the calibration goes on: a
    /// faster burst among the later readings takes its place.
    Anchor();

    /// Times now, over those of the fastest burst.
    struct Reading {
        double compute = 1;
        double memory = 1;
    };
    /// Runs both once.
    [[nodiscard]] Reading read();

  private:
    /// One of the kernels, and how fast it was at its best.
    class Best {
      public:
        /// What `ns` is of the best burst.
        double learn(double ns);

      private:
        std::vector<double> m_burst;
        double m_ns = 0;  ///< 0 before the first burst ended
    };

    [[nodiscard]] double multiply_add_ns();
    [[nodiscard]] double cold_read_ns();

    CacheFlusher m_flusher;
    std::vector<double> m_memory;
    std::size_t m_next = 0;  ///< of m_memory, where the next cold read begins
    Best m_compute_best;
    Best m_memory_best;
};

}  // namespace atl
