#include "search/committer.hpp"

#include <algorithm>

namespace atl {

double ticket_reward(const CampaignState& state, std::uint64_t ticket) {
    const TicketInFlight& flight = state.in_flight().at(ticket);
    double reference = 0;
    for (const Parent& parent : flight.issued.parents) {
        const Individual* individual = state.find(parent.id);
        reference = std::max(reference, individual == nullptr ? 0 : individual->fitness);
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

Status Committer::finish(std::uint64_t ticket, const Cost& cost, std::int64_t at_ns,
                         const std::string& reason) {
    const CampaignState& state = m_ledger.state();
    if (state.in_flight().at(ticket).pending.empty()) {
        return m_ledger.record(TicketFailed{ticket, reason});
    }
    ATOLL_TRY(m_ledger.record(TicketCommitted{ticket, ticket_reward(state, ticket), at_ns,
                                              cost.compile_seconds, cost.device_seconds}));
    return migrate();
}

Status Committer::migrate() {
    for (const Migrated& migrated :
         due_migrations(m_ledger.state(), m_topology, m_migration, m_seed)) {
        ATOLL_TRY(m_ledger.record(migrated));
    }
    return {};
}

}  // namespace atl
