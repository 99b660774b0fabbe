#pragma once

#include <cstddef>
#include <vector>

namespace atl {

/// One combination of a workload and an input distribution, as positions.
struct Pairing {
    std::size_t workload = 0;
    std::size_t distribution = 0;

    bool operator==(const Pairing&) const = default;
};

/// All workloads x distributions when they are at most `most`; else max(most, workloads,
/// distributions) of them, without repetition, such that every workload and every distribution
/// occurs. The last workloads meet all distributions, as far as that goes, the others one:
/// REQUIRES the smallest first, since of few numbers it matters least how they are distributed.
/// The first pairs the first workload with the first distribution.
[[nodiscard]] std::vector<Pairing> covering_schedule(std::size_t workloads,
                                                     std::size_t distributions, std::size_t most);

}  // namespace atl
