#pragma once

#include "search/selectors/selector.hpp"

namespace atl {

/// A tree search with two sizes of step, as AdaExplore's (agent/mcts.py): beginning with the
/// starters, the child with the largest
///     Q_i + c sqrt(ln N_parent / N_i),   Q = alpha max reward + (1 - alpha) mean reward
/// is gone to, until a node's own expansion is worth more than its best child:
///     max over children Q_j + c sqrt(ln N / n^2),   infinite while n is 0
/// with N visits, and n the tickets that had the node as their base. Ties are shared. Then the step
/// is large with probability p_large, and certainly once `small_limit` small steps were taken from
/// the node.
///
/// The tree is that of the island's members: one whose base parent is not among them begins beside
/// the starters. A ticket visits its base and all above from its dispatch on, with a reward of 0
/// until it ends, so that others in flight look elsewhere; rewards are tree_reward(). Other than in
/// AdaExplore, wrong children are no nodes (n counts them all the same), and nothing is made from
/// scratch. Its defaults: c 0.2828 (its config 0.3), alpha 0, p_large 0.2, small_limit 2.
struct UctSelector {
    double exploration = 0.2828;
    double max_weight = 0;  ///< alpha
    double p_large = 0.2;
    std::int64_t small_limit = 2;

    [[nodiscard]] std::vector<double> probabilities(std::span<const SelectorEntry> entries) const;
    [[nodiscard]] double large_step(const SelectorEntry& chosen) const;
    /// What a child is worth below a parent with so many visits.
    [[nodiscard]] double value(const SelectorEntry& child, double parent_visits) const;
};

}  // namespace atl
