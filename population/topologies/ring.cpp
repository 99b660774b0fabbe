#include "population/topologies/topologies.hpp"

namespace atl {

std::vector<Edge> ring_edges(std::uint32_t islands, double probability, const TopologyDraw&) {
    std::vector<Edge> edges;
    for (std::uint32_t i = 0; islands > 1 && i < islands; ++i) {
        edges.push_back({i, (i + 1) % islands, probability});
    }
    return edges;
}

}  // namespace atl
