#include "search/selectors/uct.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace atl {

namespace {

class Descent {
  public:
    Descent(const UctSelector& selector, std::span<const SelectorEntry> entries)
        : m_selector(selector),
          m_entries(entries),
          m_children(entries.size()),
          m_p(entries.size()) {
        for (std::size_t i = 0; i < entries.size(); ++i) {
            const std::size_t parent = entries[i].tree.parent;
            (parent == k_no_parent ? m_roots : m_children[parent]).push_back(i);
        }
    }

    std::vector<double> probabilities() {
        double visits = 0;
        for (const std::size_t root : m_roots) {
            visits += visits_of(root);
        }
        descend(m_roots, visits, 1);
        return std::move(m_p);
    }

  private:
    [[nodiscard]] double visits_of(std::size_t i) const {
        return static_cast<double>(m_entries[i].tree.visits);
    }

    [[nodiscard]] double best_of(const std::vector<std::size_t>& among, double visits) const {
        double best = -std::numeric_limits<double>::infinity();
        for (const std::size_t i : among) {
            best = std::max(best, m_selector.value(m_entries[i], visits));
        }
        return best;
    }

    void descend(const std::vector<std::size_t>& among, double visits, double p) {
        const double best = best_of(among, visits);
        std::vector<std::size_t> ties;
        for (const std::size_t i : among) {
            if (m_selector.value(m_entries[i], visits) == best) {
                ties.push_back(i);
            }
        }
        for (const std::size_t i : ties) {
            visit(i, p / static_cast<double>(ties.size()));
        }
    }

    void visit(std::size_t node, double p) {
        const std::vector<std::size_t>& children = m_children[node];
        if (children.empty() || expansion(node) > best_of(children, visits_of(node))) {
            m_p[node] += p;
        } else {
            descend(children, visits_of(node), p);
        }
    }

    [[nodiscard]] double expansion(std::size_t node) const {
        const auto n = static_cast<double>(m_entries[node].tree.expansions);
        if (n == 0) {
            return std::numeric_limits<double>::infinity();
        }
        double best = 0;
        for (const std::size_t child : m_children[node]) {
            best = std::max(best, m_entries[child].tree.reward(m_selector.max_weight));
        }
        return best + m_selector.exploration * std::sqrt(std::log(visits_of(node)) / (n * n));
    }

    const UctSelector& m_selector;
    std::span<const SelectorEntry> m_entries;
    std::vector<std::size_t> m_roots;
    std::vector<std::vector<std::size_t>> m_children;
    std::vector<double> m_p;
};

}  // namespace

double UctSelector::value(const SelectorEntry& child, double parent_visits) const {
    return child.tree.reward(max_weight) +
           exploration *
               std::sqrt(std::log(parent_visits) / static_cast<double>(child.tree.visits));
}

std::vector<double> UctSelector::probabilities(std::span<const SelectorEntry> entries) const {
    return Descent(*this, entries).probabilities();
}

double UctSelector::large_step(const SelectorEntry& chosen) const {
    return chosen.tree.small_steps >= static_cast<std::uint64_t>(small_limit) ? 1 : p_large;
}

}  // namespace atl
