#pragma once

#include "reward/verifier/timing_samples.hpp"

#include <cstddef>

namespace atl {

/// When a workload has been timed long enough. Thread-safe: a value.
struct StopRule {
    std::size_t most_samples = 0;  ///< quiet launches
    double measure_seconds = 0;    ///< inside of quiet launches
    double confidence = 0;         ///< half width of the interval over the median, e.g. 0.01

    /// True once the quiet launches (TimingSamples::k_least at least) give a narrow interval or are
    /// as many, or took as long, as they may. On a disturbed machine launches are taken again: up
    /// to half as many and as long again, disturbed ones included.
    [[nodiscard]] bool finished(const TimingSamples& samples) const;
};

}  // namespace atl
