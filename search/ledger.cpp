#include "search/ledger.hpp"

namespace atl {

Status Ledger::record(const Event& event) {
    ATOLL_TRY(m_state.apply(event));
    ATOLL_TRY(m_journal.append(event));
    m_dirty = true;
    ++m_since_snapshot;
    if (m_options.observer != nullptr) {
        m_options.observer->on_event(event, m_state);
    }
    return {};
}

Status Ledger::sync() {
    if (!m_dirty) {
        return {};
    }
    ATOLL_TRY(m_journal.sync());
    m_dirty = false;
    if (m_options.observer != nullptr) {
        m_options.observer->on_sync(m_state);
    }
    if (m_options.snapshot_every > 0 && m_since_snapshot >= m_options.snapshot_every) {
        return snapshot();
    }
    return {};
}

Status Ledger::snapshot() {
    m_since_snapshot = 0;
    return m_options.snapshot ? m_options.snapshot(m_state, m_journal.position()) : Status();
}

}  // namespace atl
