#pragma once

#include "search/bandits/bandit.hpp"

namespace atl {

/// UCB1 (Auer et al., "Finite-time Analysis of the Multiarmed Bandit Problem", 2002) over decayed
/// rewards, mixed with epsilon exploration as in ShinkaEvolve's AsymmetricUCB:
///     value_i = mean_i / max_j mean_j + c * sqrt(2 ln t / n_i)
/// with mean_i = decayed_reward_i / decayed_count_i (rewards are tiny numbers, so they are scaled
/// by the best arm's), n_i the tickets issued to i (so that tickets in flight count) and t their
/// sum. An arm without tickets is infinite. The largest value shares 1 - epsilon (ties alike); all
/// arms share epsilon by weight, so that no arm's probability is zero unless epsilon is.
struct UcbBandit {
    double exploration = 1;
    double epsilon = 0.2;
    [[nodiscard]] std::vector<double> probabilities(std::span<const Arm> arms) const;
};

}  // namespace atl
