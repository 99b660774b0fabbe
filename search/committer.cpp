#include "search/committer.hpp"

#include <algorithm>

namespace atl {

double ticket_reward(const CampaignState& state, std::uint64_t ticket) {
    const TicketInFlight& flight = state.in_flight().at(ticket);
    double reference = 0;
    for (const Parent& parent : flight.issued.parents) {
        const Individual* individual = state.find(parent.id);
        if (individual != nullptr && is_made_of(parent.role)) {
            reference = std::max(reference, individual->fitness);
        }
    }
    if (const ArchiveEntry* best = state.islands()[flight.issued.island].archive.best()) {
        reference = std::max(reference, best->fitness);
    }
    double fittest = 0;
    double evaluations = 0;
    for (const Individual& individual : flight.pending) {
        fittest = std::max(fittest, individual.fitness);
        evaluations += individual.duplicate ? 0 : 1;
    }
    if (!(reference > 0)) {
        return 0;  // starters: nothing to improve on
    }
    const double gain = std::clamp((fittest - reference) / reference, 0.0, 1.0);
    return gain / std::max(1.0, evaluations);
}

Status Committer::finish(std::uint64_t ticket, Result result,
                         const std::function<std::int64_t()>& now_ns,
                         const std::function<bool()>& after) {
    if (!m_in_order) {
        ATOLL_TRY(commit(ticket, result, now_ns()));
        after();
        return {};
    }
    m_waiting.emplace(ticket, std::move(result));
    return go_on(now_ns, after);
}

Status Committer::go_on(const std::function<std::int64_t()>& now_ns,
                        const std::function<bool()>& after) {
    while (!m_waiting.empty() && !m_ledger.state().in_flight().empty() &&
           m_waiting.begin()->first == m_ledger.state().in_flight().begin()->first) {
        const auto next = m_waiting.extract(m_waiting.begin());
        ATOLL_TRY(commit(next.key(), next.mapped(), now_ns()));
        if (!after()) {
            break;
        }
    }
    return {};
}

Status Committer::commit(std::uint64_t ticket, const Result& result, std::int64_t at_ns) {
    const CampaignState& state = m_ledger.state();
    if (state.in_flight().at(ticket).pending.empty()) {
        return m_ledger.record(TicketFailed{ticket, result.trouble, result.fault});
    }
    ATOLL_TRY(
        m_ledger.record(TicketCommitted{ticket, ticket_reward(state, ticket), at_ns,
                                        result.cost.compile_seconds, result.cost.device_seconds}));
    return follow_up();
}

Status Committer::follow_up() {
    const CampaignState& state = m_ledger.state();
    for (const Migrated& migrated :
         due_migrations(state, m_topology.over(state.islands().size()), m_migration, m_seed)) {
        ATOLL_TRY(m_ledger.record(migrated));
    }
    if (const auto reset = due_reset(state, m_reset, m_seed)) {
        ATOLL_TRY(m_ledger.record(*reset));
    }
    if (const auto spawned = due_spawn(state, m_spawn, m_seed)) {
        ATOLL_TRY(m_ledger.record(*spawned));
    }
    if (const auto look = due_watch(state, m_reheat)) {
        ATOLL_TRY(m_ledger.record(*look));
    }
    return {};
}

}  // namespace atl
