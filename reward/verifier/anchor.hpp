#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

namespace atl {

/// A fixed kernel (a dependent multiply-add chain, then sums over 2 MiB that were just read) whose
/// time tells how fast this core is at the moment: clock frequency, stolen time, shared cache.
/// About 0.2 ms. Not thread-safe.
class Anchor {
  public:
    /// Calibrates: ratio 1 stands for the median of the fastest of several bursts of runs. A
    /// machine that was busy meanwhile would make all later times look short, so the calibration
    /// goes on: a faster burst among the later readings takes its place.
    Anchor();

    struct Reading {
        std::chrono::nanoseconds at{0};  ///< CLOCK_MONOTONIC
        double ratio = 1;                ///< time now / at calibration
    };
    /// Runs once.
    [[nodiscard]] Reading read();
    [[nodiscard]] double calibration_ns() const { return m_calibration_ns; }

  private:
    [[nodiscard]] double run_ns();
    void learn(double ns);

    std::vector<double> m_memory;
    double m_calibration_ns;
    std::vector<double> m_burst;
    double m_sink = 0;
};

/// The readings during one measurement.
class DriftLog {
  public:
    void add(const Anchor::Reading& reading) { m_readings.push_back(reading); }
    /// The median of the (up to five) readings nearest in time: one disturbed reading must not
    /// move a sample. 1 when there are none.
    [[nodiscard]] double ratio_at(std::chrono::nanoseconds at) const;
    [[nodiscard]] bool empty() const { return m_readings.empty(); }
    [[nodiscard]] std::chrono::nanoseconds last() const { return m_readings.back().at; }

  private:
    std::vector<Anchor::Reading> m_readings;  ///< in the order of time
};

}  // namespace atl
