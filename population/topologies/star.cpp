#include "population/topologies/topologies.hpp"

namespace atl {

std::vector<Edge> star_edges(std::uint32_t islands, double probability, const TopologyDraw&) {
    std::vector<Edge> edges;
    for (std::uint32_t outer = 1; outer < islands; ++outer) {
        edges.push_back({0, outer, probability});
        edges.push_back({outer, 0, probability});
    }
    return edges;
}

}  // namespace atl
