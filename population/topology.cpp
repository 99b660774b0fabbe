#include "population/topology.hpp"

#include "population/topologies/topologies.hpp"

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/strong_components.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace atl {

namespace {

struct Named {
    const char* name;
    std::vector<Edge> (*edges)(std::uint32_t islands, double probability, const TopologyDraw& draw);
};

constexpr std::array<Named, 5> k_topologies = {{{"ring", ring_edges},
                                                {"full", full_edges},
                                                {"star", star_edges},
                                                {"random", random_edges},
                                                {"none", no_edges}}};

}  // namespace

Topology::Topology(std::uint32_t islands, std::vector<Edge> edges)
    : m_islands(islands), m_edges(std::move(edges)) {
    std::sort(m_edges.begin(), m_edges.end(), [](const Edge& a, const Edge& b) {
        return std::pair(a.from, a.to) < std::pair(b.from, b.to);
    });
}

std::vector<Edge> Topology::edges_from(std::uint32_t island) const {
    std::vector<Edge> edges;
    std::copy_if(m_edges.begin(), m_edges.end(), std::back_inserter(edges),
                 [island](const Edge& edge) { return edge.from == island; });
    return edges;
}

bool Topology::strongly_connected() const {
    using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;
    Graph graph(m_islands);
    for (const Edge& edge : m_edges) {
        if (edge.probability > 0) {
            boost::add_edge(edge.from, edge.to, graph);
        }
    }
    std::vector<int> component(m_islands);
    return m_islands == 0 ||
           boost::strong_components(
               graph, boost::make_iterator_property_map(
                          component.begin(), boost::get(boost::vertex_index, graph))) == 1;
}

const std::vector<std::string>& topology_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all;
        for (const Named& topology : k_topologies) {
            all.emplace_back(topology.name);
        }
        return all;
    }();
    return names;
}

Topology make_topology(const std::string& name, std::uint32_t islands, double edge_probability,
                       const TopologyDraw& draw) {
    for (const Named& topology : k_topologies) {
        if (name == topology.name) {
            return {islands, topology.edges(islands, edge_probability, draw)};
        }
    }
    return {islands, {}};
}

}  // namespace atl
