#pragma once

#include "search/selectors/selector.hpp"

namespace atl {

/// FunSearch's clusters (implementation/programs_database.py): a cluster is chosen by a softmax of
/// its score, then one of its programs, the shorter the likelier.
///     P(cluster) proportional to exp(score / T),  T = T0 (1 - (n mod period) / period)
///     P(program | cluster) proportional to exp(-(length - min length) / (max length + 1e-6))
/// with n the programs of the island (SelectionFacts::programs), so that T falls and begins anew.
/// FunSearch's cluster is made of programs with equal scores in each test. Times are never equal,
/// so here programs are in one cluster whose fitness and measures (Individual::measures: give
/// archive.axes or archive.objectives such as time:WORKLOAD) fall into the same bins of `width` on
/// a logarithmic scale (0.02: 2 %); what is not above 0 is compared as it is. A cluster's score is
/// the fitness of its best.
struct ClusterSelector {
    double temperature = 0.1;
    std::int64_t period = 30'000;
    double width = 0.02;
    [[nodiscard]] std::vector<double> probabilities(std::span<const SelectorEntry> entries,
                                                    const SelectionFacts& facts) const;
    /// The cluster of each entry, numbered in the order of their first entries.
    [[nodiscard]] std::vector<std::size_t> clusters(std::span<const SelectorEntry> entries) const;
};

}  // namespace atl
