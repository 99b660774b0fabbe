#include "population/topologies/topologies.hpp"

namespace atl {

std::vector<Edge> full_edges(std::uint32_t islands, double probability, const TopologyDraw&) {
    std::vector<Edge> edges;
    for (std::uint32_t from = 0; from < islands; ++from) {
        for (std::uint32_t to = 0; to < islands; ++to) {
            if (from != to) {
                edges.push_back({from, to, probability});
            }
        }
    }
    return edges;
}

}  // namespace atl
