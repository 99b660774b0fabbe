#pragma once

#include "search/bandits/bandit.hpp"

namespace atl {

/// UCB1 (Auer et al., "Finite-time Analysis of the Multiarmed Bandit Problem", 2002) over decayed
/// rewards, mixed with epsilon exploration as in ShinkaEvolve's AsymmetricUCB:
///     value_i = (1 - k) (mean_i / max_j mean_j + c * sqrt(2 ln t / n_i)) + k cheapness_i
/// with mean_i = decayed_reward_i / decayed_count_i (rewards are tiny numbers, so they are scaled
/// by the best arm's), n_i the tickets issued to i (so that tickets in flight count) and t their
/// sum, k the weight of costs and cheapness_i that of arm_values.hpp. An arm without tickets is
/// infinite. The largest value shares 1 - epsilon (ties alike); all arms share epsilon by weight,
/// so that no arm's probability is zero unless epsilon is. Decay 1, epsilon 0 and k 0 are UCB1
/// itself, on scaled rewards.
///
/// Other than AsymmetricUCB: it takes exponentials of rewards where exponential_base is set, scales
/// by the largest reward seen, and shares epsilon among all but the best.
struct UcbBandit {
    double exploration = 1;
    double epsilon = 0.2;
    double cost_weight = 0;
    [[nodiscard]] std::vector<double> probabilities(std::span<const Arm> arms) const;
};

}  // namespace atl
