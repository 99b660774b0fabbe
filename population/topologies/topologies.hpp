#pragma once

#include "population/topology.hpp"

#include <cstdint>
#include <vector>

namespace atl {

/// Each island sends to the next one, the last to the first (pagmo2's ring, one way). A single
/// island has no edges.
[[nodiscard]] std::vector<Edge> ring_edges(std::uint32_t islands, double probability,
                                           const TopologyDraw&);
/// Each island sends to every other.
[[nodiscard]] std::vector<Edge> full_edges(std::uint32_t islands, double probability,
                                           const TopologyDraw&);
/// Island 0 sends to every other and every other to it (CodeEvolve's star).
[[nodiscard]] std::vector<Edge> star_edges(std::uint32_t islands, double probability,
                                           const TopologyDraw&);
/// Each island sends to draw.degree others (all, where there are no more), drawn once from the
/// campaign's seed: the first so that all islands form one circle in random order, hence every
/// island reaches every other; the rest without replacement.
[[nodiscard]] std::vector<Edge> random_edges(std::uint32_t islands, double probability,
                                             const TopologyDraw& draw);
/// Islands that evolve apart.
[[nodiscard]] std::vector<Edge> no_edges(std::uint32_t islands, double probability,
                                         const TopologyDraw&);

}  // namespace atl
