#include "population/lineage/lineage_view.hpp"

#include <algorithm>
#include <charconv>

namespace atl {

namespace {

struct Builder {
    LineageView view;
    std::int64_t commits = 0;

    void see(std::int64_t at_ns) { view.elapsed_ns = std::max(view.elapsed_ns, at_ns); }

    void operator()(const CampaignStarted& event) {
        if (view.started == nullptr) {
            view.started = &event;
        }
    }
    void operator()(const SessionOpened& event) {
        view.sessions.push_back(&event);
        view.ended = nullptr;
    }
    void operator()(const TicketIssued& event) {
        view.tickets[event.ticket].issued = &event;
        see(event.at_ns);
    }
    void operator()(const Evaluated& event) {
        const std::size_t at = view.nodes.size();
        LineageView::Node node;
        node.individual = &event.individual;
        view.nodes.push_back(std::move(node));
        view.by_id.emplace(event.individual.id.value, at);
        view.tickets[event.individual.id.ticket()].individuals.push_back(at);
        for (const Parent& parent : event.individual.parents) {
            if (!is_made_of(parent.role)) {
                continue;
            }
            const auto found = view.by_id.find(parent.id.value);
            if (found == view.by_id.end()) {
                continue;
            }
            std::vector<std::size_t>& children = view.nodes[found->second].children;
            if (children.empty() || children.back() != at) {
                children.push_back(at);
            }
        }
        see(event.individual.done_ns);
    }
    void operator()(const TicketFailed& event) { view.tickets[event.ticket].failed = &event; }
    void operator()(const TicketCommitted& event) {
        LineageView::Ticket& ticket = view.tickets[event.ticket];
        ticket.committed = &event;
        ticket.commit = commits++;
        for (const std::size_t at : ticket.individuals) {
            view.nodes[at].commit = ticket.commit;
        }
        see(event.at_ns);
    }
    void operator()(const Migrated& event) { view.migrations.push_back(&event); }
    void operator()(const IslandsReset& event) { view.resets.push_back(&event); }
    void operator()(const IslandSpawned& event) { view.spawns.push_back(&event); }
    void operator()(const ProgressWatched& event) { view.watches.push_back(&event); }
    void operator()(const LogOpened&) {}
    void operator()(const RolloutRecorded& event) { view.rollouts.push_back(&event); }
    void operator()(const ModelExchanged& event) {
        see(event.at_ns);
        if (event.ticket == ModelExchanged::k_no_ticket) {
            return;
        }
        LineageView::Ticket& ticket = view.tickets[event.ticket];
        ticket.exchanges.push_back(&event);
        ticket.asked_before_child += ticket.individuals.empty() ? 1 : 0;
    }
    void operator()(const InsightNoted& event) { see(event.at_ns); }
    void operator()(const Confirmed& event) {
        view.confirmations.push_back(&event);
        if (const auto found = view.by_id.find(event.individual.value); found != view.by_id.end()) {
            view.nodes[found->second].confirmed = &event;
        }
        see(event.at_ns);
    }
    void operator()(const TurnedDown& event) {
        view.turned_down.push_back(&event);
        see(event.proposal.done_ns);
    }
    void operator()(const CampaignStopped& event) {
        view.stops.push_back(&event);
        view.ended = &event;
        see(event.at_ns);
    }
};

/// As CampaignState::program_of(), but for two of one binary that were in work at once.
const Digest& program_of(const LineageView& view, const Individual& individual) {
    const LineageView::Node* first =
        individual.same_by == SameBy::key ? nullptr : view.find(individual.same_as);
    return first == nullptr ? individual.key : first->individual->key;
}

void mark_turned_down(LineageView& view) {
    std::set<Digest> refused;
    for (const LineageView::Node& node : view.nodes) {
        if (node.confirmed != nullptr && !node.confirmed->accepted) {
            refused.insert(program_of(view, *node.individual));
        }
    }
    for (LineageView::Node& node : view.nodes) {
        node.turned_down = refused.contains(program_of(view, *node.individual));
    }
}

template <class T>
std::optional<T> parse_whole(std::string_view text) {
    T value{};
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && stop == end && !text.empty() ? std::optional<T>(value)
                                                                : std::nullopt;
}

}  // namespace

const LineageView::Node* LineageView::find(IndividualId id) const {
    const auto found = by_id.find(id.value);
    return found == by_id.end() ? nullptr : &nodes[found->second];
}

const LineageView::Ticket* LineageView::find_ticket(std::uint64_t ticket) const {
    const auto found = tickets.find(ticket);
    return found == tickets.end() ? nullptr : &found->second;
}

std::uint32_t LineageView::islands() const {
    std::uint32_t count = 0;
    const auto see = [&count](std::uint32_t island) {
        count = std::max(count, std::min(island, k_max_islands - 1) + 1);
    };
    for (const auto& [number, ticket] : tickets) {
        if (ticket.issued != nullptr) {
            see(ticket.issued->island);
        }
    }
    for (const Node& node : nodes) {
        see(node.individual->island);
    }
    for (const Migrated* migration : migrations) {
        see(migration->from);
        see(migration->to);
    }
    return count;
}

const LineageView::Node* LineageView::best() const {
    for (auto it = confirmations.rbegin(); it != confirmations.rend(); ++it) {
        const Node* node = find((*it)->individual);
        // In a damaged run a confirmation may come before its individual.
        if ((*it)->accepted && node != nullptr &&
            (node->confirmed == nullptr || node->confirmed->accepted)) {
            return node;
        }
    }
    const Node* best = nullptr;
    for (const Node& node : nodes) {
        if (!node.committed() || node.turned_down || node.individual->fitness <= 0) {
            continue;
        }
        const bool fitter = best == nullptr ||
                            node.individual->fitness > best->individual->fitness ||
                            (node.individual->fitness == best->individual->fitness &&
                             node.individual->id < best->individual->id);
        best = fitter ? &node : best;
    }
    return best;
}

LineageView lineage_view(const std::vector<Event>& events) {
    Builder builder;
    for (const Event& event : events) {
        std::visit(builder, event);
    }
    mark_turned_down(builder.view);
    return std::move(builder.view);
}

const LineageView::Node* base_parent(const LineageView& view, const Individual& child) {
    const std::vector<Parent>& parents = child.parents;
    const auto base = std::find_if(parents.begin(), parents.end(),
                                   [](const Parent& p) { return p.role == ParentRole::base; });
    if (base != parents.end()) {
        return view.find(base->id);
    }
    return parents.empty() ? nullptr : view.find(parents.front().id);
}

std::vector<const LineageView::Node*> base_path(const LineageView& view, IndividualId id) {
    std::vector<const LineageView::Node*> path;
    std::set<IndividualId> seen;  // a damaged run may hold a cycle
    for (const LineageView::Node* node = view.find(id);
         node != nullptr && seen.insert(node->individual->id).second;
         node = base_parent(view, *node->individual)) {
        path.push_back(node);
    }
    std::reverse(path.begin(), path.end());
    return path;
}

std::set<IndividualId> ancestry(const LineageView& view, IndividualId id) {
    std::set<IndividualId> seen;
    std::vector<IndividualId> open = {id};
    while (!open.empty()) {
        const IndividualId next = open.back();
        open.pop_back();
        const LineageView::Node* node = view.find(next);
        if (node == nullptr || !seen.insert(next).second) {
            continue;
        }
        for (const Parent& parent : node->individual->parents) {
            if (is_made_of(parent.role)) {
                open.push_back(parent.id);
            }
        }
    }
    return seen;
}

std::vector<const Migrated*> ancestral_migrations(const LineageView& view,
                                                  const std::set<IndividualId>& ancestry) {
    std::vector<const Migrated*> result;
    for (const Migrated* migration : view.migrations) {
        const LineageView::Node* migrant = view.find(migration->individual);
        if (migrant == nullptr || !ancestry.contains(migration->individual)) {
            continue;
        }
        const bool mattered =
            std::any_of(migrant->children.begin(), migrant->children.end(), [&](std::size_t at) {
                const Individual& child = *view.nodes[at].individual;
                return child.island == migration->to && ancestry.contains(child.id);
            });
        if (mattered) {
            result.push_back(migration);
        }
    }
    return result;
}

std::optional<IndividualId> parse_individual_id(std::string_view text) {
    const auto dot = text.find('.');
    if (dot == std::string_view::npos) {
        return std::nullopt;
    }
    const auto ticket = parse_whole<std::uint64_t>(text.substr(0, dot));
    const auto step = parse_whole<std::uint32_t>(text.substr(dot + 1));
    constexpr std::uint64_t k_max_ticket = (~std::uint64_t{0}) >> IndividualId::k_step_bits;
    constexpr std::uint32_t k_max_step = (1u << IndividualId::k_step_bits) - 1;
    if (!ticket || !step || *ticket > k_max_ticket || *step > k_max_step) {
        return std::nullopt;
    }
    return IndividualId::make(*ticket, *step);
}

}  // namespace atl
