#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace atl {

/// Who may send migrants to whom. An edge carries the probability that it is used when a
/// migration is due (pagmo2's edge weights). A value; immutable after construction.
struct Edge {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    double probability = 1;
};

class Topology {
  public:
    Topology(std::uint32_t islands, std::vector<Edge> edges);
    [[nodiscard]] std::uint32_t islands() const { return m_islands; }
    /// Sorted by (from, to).
    [[nodiscard]] const std::vector<Edge>& edges() const { return m_edges; }
    [[nodiscard]] std::vector<Edge> edges_from(std::uint32_t island) const;
    /// True when every island can reach every other (Boost.Graph strong components).
    [[nodiscard]] bool strongly_connected() const;

  private:
    std::uint32_t m_islands;
    std::vector<Edge> m_edges;
};

/// What a topology with a choice is drawn from.
struct TopologyDraw {
    std::int64_t degree = 2;  ///< islands that each sends to
    std::uint64_t seed = 0;   ///< the campaign's
};

/// "ring", "full", "star", "random", "none"
[[nodiscard]] const std::vector<std::string>& topology_names();
[[nodiscard]] Topology make_topology(const std::string& name, std::uint32_t islands,
                                     double edge_probability, const TopologyDraw& draw = {});

}  // namespace atl
