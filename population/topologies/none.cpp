#include "population/topologies/topologies.hpp"

namespace atl {

std::vector<Edge> no_edges(std::uint32_t /*islands*/, double /*probability*/, const TopologyDraw&) {
    return {};
}

}  // namespace atl
