#include "population/topology.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>
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

TEST(Topology, AStarHasItsCentreInEveryEdge) {
    const Topology star = make_topology("star", 4, 0.5);
    EXPECT_EQ(pairs(star.edges()), (Pairs{{0, 1}, {0, 2}, {0, 3}, {1, 0}, {2, 0}, {3, 0}}));
    EXPECT_EQ(star.edges().back().probability, 0.5);
    EXPECT_TRUE(star.strongly_connected());
}

RC_GTEST_PROP(Topology, AStarOfAnySizeGoesThroughItsCentreBothWays, ()) {
    const std::uint32_t islands = *rc::gen::inRange(2u, 40u);
    const Topology star = make_topology("star", islands, *rc::gen::element(0.1, 0.5, 1.0));
    RC_ASSERT(star.strongly_connected());
    const Pairs edges = pairs(star.edges());
    RC_ASSERT(std::set(edges.begin(), edges.end()).size() == 2 * (islands - 1));
    RC_ASSERT(edges.size() == 2 * (islands - 1));
    for (const auto& [from, to] : edges) {
        RC_ASSERT(from != to && (from == 0 || to == 0));
    }
}

// Whatever the seed: as many edges from each island as asked for, to different others, and every
// island reaches every other.
RC_GTEST_PROP(Topology, ARandomOneIsConnectedAndHasTheDegreeAskedFor, ()) {
    const std::uint32_t islands = *rc::gen::inRange(1u, 20u);
    const TopologyDraw draw{*rc::gen::inRange<std::int64_t>(1, 25),
                            *rc::gen::arbitrary<std::uint64_t>()};
    const Topology topology = make_topology("random", islands, 1, draw);
    RC_ASSERT(topology.strongly_connected());
    for (std::uint32_t island = 0; island < islands; ++island) {
        std::set<std::uint32_t> targets;
        for (const Edge& edge : topology.edges_from(island)) {
            RC_ASSERT(edge.to < islands);
            RC_ASSERT(edge.to != island);
            targets.insert(edge.to);
        }
        RC_ASSERT(targets.size() == topology.edges_from(island).size());
        RC_ASSERT(targets.size() == std::min<std::size_t>(islands - 1, draw.degree));
    }
    RC_ASSERT(pairs(make_topology("random", islands, 1, draw).edges()) == pairs(topology.edges()));
}

TEST(Topology, RandomOnesDifferBySeed) {
    std::set<Pairs> drawn;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        drawn.insert(pairs(make_topology("random", 6, 1, {1, seed}).edges()));
    }
    EXPECT_GT(drawn.size(), 10u);
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
