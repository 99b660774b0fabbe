#pragma once

#include "reward/profile_report.hpp"

#include <string>

namespace atl {

/// What the rules of reward/bottleneck.hpp look at, and what their sentences say. `report` and
/// `kernel` must outlive it. Shares are percent of the kernel's time; 0 where nothing was counted.
struct BottleneckEvidence {
    /// `kernel`: the footprint of the report's kernel; nullptr where it has none.
    BottleneckEvidence(const ProfileReport& of, const KernelFootprint* kernel_of, double time_ns);

    const ProfileReport& report;
    const KernelFootprint* kernel;
    double median_ns = 0;
    bool counted = false;
    double dram = 0;
    double l2 = 0;
    double shared = 0;
    double issue = 0;
    double tensor = 0;
    double conflicts = 0;  ///< share of shared memory's turns, 0 to 1
    double active = 1;     ///< share of the time in which multiprocessors have work, 0 to 1

    [[nodiscard]] double metric(const char* name) const;
    [[nodiscard]] double launches() const;  ///< of all kernels in the plan
    [[nodiscard]] double busiest_percent() const;
    [[nodiscard]] double roof_ns() const;
    [[nodiscard]] double multiprocessors() const;  ///< of the device; 0: not known
    /// Share of the kernel's time that multiprocessors are without work; without counters as blocks
    /// of equal length would have it.
    [[nodiscard]] double tail_share() const;
};

/// The evidence for `name` in words, without a period at the end.
[[nodiscard]] std::string words_of(Bottleneck name, const BottleneckEvidence& evidence);

}  // namespace atl
