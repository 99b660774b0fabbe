#include "population/topology.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace atl {
namespace {

using Pairs = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

Pairs pairs(const std::vector<Edge>& edges) {
    Pairs all;
    for (const Edge& edge : edges) {
        all.emplace_back(edge.from, edge.to);
    }
    return all;
}

TEST(Topology, ARingSendsToTheNext) {
    const Topology ring = make_topology("ring", 4, 0.5);
    EXPECT_EQ(pairs(ring.edges()), (Pairs{{0, 1}, {1, 2}, {2, 3}, {3, 0}}));
    EXPECT_EQ(pairs(ring.edges_from(3)), (Pairs{{3, 0}}));
    EXPECT_EQ(ring.edges().front().probability, 0.5);
    EXPECT_TRUE(ring.strongly_connected());
    EXPECT_EQ(pairs(make_topology("ring", 2, 1).edges()), (Pairs{{0, 1}, {1, 0}}));
}

TEST(Topology, AFullOneSendsToAllOthers) {
    const Topology full = make_topology("full", 3, 1);
    EXPECT_EQ(pairs(full.edges()), (Pairs{{0, 1}, {0, 2}, {1, 0}, {1, 2}, {2, 0}, {2, 1}}));
    EXPECT_EQ(pairs(full.edges_from(1)), (Pairs{{1, 0}, {1, 2}}));
    EXPECT_TRUE(full.strongly_connected());
}

TEST(Topology, IslandsMayEvolveApart) {
    const Topology none = make_topology("none", 3, 1);
    EXPECT_TRUE(none.edges().empty());
    EXPECT_FALSE(none.strongly_connected());
}

TEST(Topology, OneIslandHasNoEdges) {
    for (const std::string& name : topology_names()) {
        const Topology single = make_topology(name, 1, 1);
        EXPECT_TRUE(single.edges().empty()) << name;
        EXPECT_TRUE(single.strongly_connected()) << name;
    }
}

TEST(Topology, AnEdgeThatIsNeverUsedConnectsNothing) {
    EXPECT_FALSE(make_topology("ring", 3, 0).strongly_connected());
    EXPECT_FALSE(Topology(3, {{0, 1, 1}, {1, 2, 1}}).strongly_connected());
    EXPECT_TRUE(Topology(3, {{2, 0, 1}, {1, 2, 1}, {0, 1, 1}}).strongly_connected());
}

TEST(Topology, SortsItsEdges) {
    const Topology topology(3, {{2, 0, 1}, {0, 2, 1}, {0, 1, 1}});
    EXPECT_EQ(pairs(topology.edges()), (Pairs{{0, 1}, {0, 2}, {2, 0}}));
}

}  // namespace
}  // namespace atl
