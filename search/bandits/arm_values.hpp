#pragma once

#include "search/bandits/bandit.hpp"

#include <span>
#include <vector>

namespace atl {

/// What bandits have in common. Pure.

/// Rewards are tiny numbers, so means are scaled by the best arm's: the best is 1 unless all are 0.
void scale_by_largest(std::vector<double>& means);

/// How cheap each arm is, in (0, 1]:
///     cheapness_i = min_j cost_j / cost_i
/// with cost_i the mean recorded cost (ArmStats::nano_dollars) of those of its tickets whose cost
/// is known. An arm of which none is known, or that costs nothing, is 1. ShinkaEvolve's
/// AsymmetricUCB has the same ratio, of costs less a confidence bound.
[[nodiscard]] std::vector<double> cheapness(std::span<const Arm> arms);

/// The largest values share 1 - epsilon alike; all arms share epsilon by weight.
[[nodiscard]] std::vector<double> best_or_any(std::span<const double> values, double epsilon,
                                              std::span<const Arm> arms);

}  // namespace atl
