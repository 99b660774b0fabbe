#pragma once

#include "population/topology.hpp"

#include <cstdint>
#include <vector>

namespace atl {

/// Each island sends to the next one, the last to the first (pagmo2's ring, one way). A single
/// island has no edges.
[[nodiscard]] std::vector<Edge> ring_edges(std::uint32_t islands, double probability);
/// Each island sends to every other.
[[nodiscard]] std::vector<Edge> full_edges(std::uint32_t islands, double probability);
/// Islands that evolve apart.
[[nodiscard]] std::vector<Edge> no_edges(std::uint32_t islands, double probability);

}  // namespace atl
