#pragma once

#include "population/byte_codec.hpp"
#include "population/individual.hpp"

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace atl {

/// The tree of right individuals by their base parents, with what a tree search knows of each. All
/// of it follows from the events; an event costs a step for each ancestor, of which there are
/// k_max_depth at most. Not thread-safe.
class SearchTree {
  public:
    static constexpr std::uint32_t k_max_depth = 64;  ///< a deeper child is its base's sibling

    struct Node {
        IndividualId parent;  ///< itself: it has none
        IndividualId head;    ///< the first of those that small steps connect it with
        IndividualId best;    ///< of a head: the fittest of those
        double best_fitness = 0;
        std::uint32_t depth = 0;
        std::uint64_t visits = 1;       ///< itself, and tickets at it and below, in flight or ended
        std::uint64_t expansions = 0;   ///< tickets with it as their base, likewise
        std::uint64_t small_steps = 0;  ///< those of them that were to take a small step
        double reward_sum = 0;          ///< its own, and those of ended tickets at it and below
        double reward_max = 0;
        bool operator==(const Node&) const = default;
    };

    /// nullptr when it is no node.
    [[nodiscard]] const Node* find(IndividualId id) const;

    /// A ticket with this base was dispatched, ended, or was lost to a fault of ours, after which
    /// it never was. What is no node is left alone, here and below.
    void issue(IndividualId base, StepSize step);
    void end(IndividualId base, double reward);
    void roll_back(IndividualId base, StepSize step);
    /// A right child; base: nullopt for a starter.
    void add(const Individual& child, std::optional<IndividualId> base, StepSize step);

    /// `order`: all individuals that may be nodes, so that equal trees have equal bytes.
    void write(ByteWriter& out, const std::vector<Individual>& order) const;
    /// Fails the reader for what is no such tree.
    void read(ByteReader& in, const std::vector<Individual>& order);

  private:
    /// Calls `change` for the node and each of its ancestors.
    template <class Change>
    void up_from(IndividualId id, const Change& change);

    std::unordered_map<std::uint64_t, Node> m_nodes;
};

/// What a tree search gets for an individual (AdaExplore, agent/mcts.py; reference preset R08): 0
/// where it did not compile, 0.05 where it did and is wrong, else
///     0.4 + 1.2 (clip(fitness, 0.1, 10) - 0.1) / 9.9
[[nodiscard]] double tree_reward(const Individual& individual);

}  // namespace atl
