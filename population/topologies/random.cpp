#include "population/topologies/topologies.hpp"
#include "reward/base/rng.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace atl {

namespace {

void shuffle(std::vector<std::uint32_t>& all, CounterRng& rng) {  // Fisher and Yates
    for (std::size_t i = all.size(); i > 1; --i) {
        std::swap(all[i - 1], all[rng.below(i)]);
    }
}

}  // namespace

std::vector<Edge> random_edges(std::uint32_t islands, double probability,
                               const TopologyDraw& draw) {
    std::vector<Edge> edges;
    if (islands < 2) {
        return edges;
    }
    CounterRng rng(draw.seed, RngPurpose::topology, 0);
    std::vector<std::uint32_t> circle(islands);
    std::iota(circle.begin(), circle.end(), 0u);
    shuffle(circle, rng);
    for (std::uint32_t i = 0; i < islands; ++i) {
        const std::uint32_t from = circle[i];
        std::vector<std::uint32_t> others;
        for (std::uint32_t to = 0; to < islands; ++to) {
            if (to != from && to != circle[(i + 1) % islands]) {
                others.push_back(to);
            }
        }
        shuffle(others, rng);
        others.insert(others.begin(), circle[(i + 1) % islands]);
        const auto degree = static_cast<std::size_t>(std::max<std::int64_t>(draw.degree, 1));
        for (std::size_t j = 0; j < std::min(degree, others.size()); ++j) {
            edges.push_back({from, others[j], probability});
        }
    }
    return edges;
}

}  // namespace atl
