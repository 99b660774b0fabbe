#include "population/search_tree.hpp"

#include <algorithm>

namespace atl {

template <class Change>
void SearchTree::up_from(IndividualId id, const Change& change) {
    for (auto node = m_nodes.find(id.value); node != m_nodes.end();) {
        change(node->second);
        const std::uint64_t parent = node->second.parent.value;
        node = parent == node->first ? m_nodes.end() : m_nodes.find(parent);
    }
}

const SearchTree::Node* SearchTree::find(IndividualId id) const {
    const auto found = m_nodes.find(id.value);
    return found == m_nodes.end() ? nullptr : &found->second;
}

void SearchTree::issue(IndividualId base, StepSize step) {
    const auto node = m_nodes.find(base.value);
    if (node != m_nodes.end()) {
        ++node->second.expansions;
        node->second.small_steps += step == StepSize::small ? 1 : 0;
    }
    up_from(base, [](Node& one) { ++one.visits; });
}

void SearchTree::end(IndividualId base, double reward) {
    up_from(base, [reward](Node& one) {
        one.reward_sum += reward;
        one.reward_max = std::max(one.reward_max, reward);
    });
}

void SearchTree::roll_back(IndividualId base, StepSize step) {
    const auto node = m_nodes.find(base.value);
    if (node != m_nodes.end()) {
        --node->second.expansions;
        node->second.small_steps -= step == StepSize::small ? 1 : 0;
    }
    up_from(base, [](Node& one) { --one.visits; });
}

void SearchTree::add(const Individual& child, std::optional<IndividualId> base, StepSize step) {
    Node node;
    node.parent = child.id;
    node.head = child.id;
    if (const Node* above = base ? find(*base) : nullptr) {
        const bool deep = above->depth >= k_max_depth;
        node.parent = deep ? above->parent : *base;
        node.depth = deep ? above->depth : above->depth + 1;
        node.head = step == StepSize::small ? above->head : child.id;
    }
    node.best = child.id;
    node.best_fitness = child.fitness;
    node.reward_sum = tree_reward(child);
    node.reward_max = node.reward_sum;
    if (const auto head = m_nodes.find(node.head.value);
        head != m_nodes.end() && child.fitness > head->second.best_fitness) {
        head->second.best = child.id;
        head->second.best_fitness = child.fitness;
    }
    m_nodes.emplace(child.id.value, node);
}

void SearchTree::write(ByteWriter& out, const std::vector<Individual>& order) const {
    out.u32(static_cast<std::uint32_t>(m_nodes.size()));
    for (const Individual& individual : order) {
        const Node* node = find(individual.id);
        if (node == nullptr) {
            continue;
        }
        for (const IndividualId id : {individual.id, node->parent, node->head, node->best}) {
            out.u64(id.value);
        }
        out.u32(node->depth);
        for (const std::uint64_t count : {node->visits, node->expansions, node->small_steps}) {
            out.u64(count);
        }
        for (const double amount : {node->best_fitness, node->reward_sum, node->reward_max}) {
            out.f64(amount);
        }
    }
}

void SearchTree::read(ByteReader& in, const std::vector<Individual>& order) {
    constexpr std::uint32_t k_no_limit = ~std::uint32_t{0};
    const std::uint32_t size = in.count(84, k_no_limit);
    auto next = order.begin();
    for (std::uint32_t i = 0; i < size && in.ok(); ++i) {
        const IndividualId id{in.u64()};
        Node node;
        node.parent = {in.u64()};
        node.head = {in.u64()};
        node.best = {in.u64()};
        node.depth = in.u32();
        node.visits = in.u64();
        node.expansions = in.u64();
        node.small_steps = in.u64();
        node.best_fitness = in.f64();
        node.reward_sum = in.f64();
        node.reward_max = in.f64();
        next =
            std::find_if(next, order.end(), [id](const Individual& one) { return one.id == id; });
        // Parents come before their children, so that a walk up ends.
        const Node* above = node.parent == id ? nullptr : find(node.parent);
        const std::uint32_t depth = above == nullptr ? 0 : above->depth + 1;
        const bool rooted = node.parent == id || above != nullptr;
        if (next == order.end() || !rooted || node.depth != depth || depth > k_max_depth ||
            node.visits == 0 || (node.head != id && find(node.head) == nullptr)) {
            in.fail("a tree of individuals is impossible");
        } else {
            m_nodes.emplace(id.value, node);
            ++next;
        }
    }
}

double tree_reward(const Individual& individual) {
    if (individual.fitness > 0) {
        return 0.4 + 1.2 * (std::clamp(individual.fitness, 0.1, 10.0) - 0.1) / 9.9;
    }
    switch (individual.outcome) {
        case Outcome::rejected:
        case Outcome::compile_error:
        case Outcome::compile_limit:
            return 0;
        default:
            return 0.05;
    }
}

}  // namespace atl
