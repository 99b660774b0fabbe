#include "search/ledger.hpp"

#include <algorithm>
#include <utility>

namespace atl {

namespace {

constexpr std::uint64_t k_replayed_part = 4;  // of the events, at most, after the last snapshot

}  // namespace

Status Ledger::record(Event event) {
    if (m_options.before) {
        ATOLL_TRY(m_options.before(event));
    }
    ATOLL_TRY(m_state.apply(event));
    ATOLL_TRY(m_journal.append(event));
    m_dirty = true;
    ++m_since_snapshot;
    if (m_options.observer != nullptr) {
        m_unannounced.push_back(std::move(event));
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
        for (const Event& event : std::exchange(m_unannounced, {})) {
            m_options.observer->on_event(event, m_state);
        }
        m_options.observer->on_sync(m_state);
    }
    const std::uint64_t spacing =
        std::max(m_options.snapshot_every, m_state.events_applied() / k_replayed_part);
    if (m_options.snapshot_every > 0 && m_since_snapshot >= spacing) {
        snapshot();
    }
    return {};
}

void Ledger::snapshot() {
    m_since_snapshot = 0;
    if (!m_options.snapshot) {
        return;
    }
    const Status status = m_options.snapshot(m_state, m_journal.position());
    if (!status && m_options.observer != nullptr) {
        m_options.observer->on_remark("no snapshot was taken, so a resume will take longer: " +
                                      status.error().message());
    }
}

}  // namespace atl
