#include "search/ending.hpp"

namespace atl {

namespace {

constexpr int k_fruitless_tickets = 100;  // in a row that had nothing to propose: all is known
constexpr int k_faulted_tickets = 5;      // in a row lost to faults of ours: something is broken

}  // namespace

Ending::Ending(const CampaignConfig& config, const StopSignal& signal)
    : m_signal(signal),
      m_rule(make_stop_rule(config.stop)),
      m_drain_ns(config.engine.drain_seconds * 1'000'000'000) {}

void Ending::look(const StopView& view) {
    if (m_stopping) {
        return;
    }
    if (m_signal.requested()) {
        stop(m_signal.reason(), false, view.elapsed_ns);
    } else if (const auto why = m_rule.reason(view)) {
        stop(*why, true, view.elapsed_ns);
    }
}

void Ending::stop(const std::string& reason, bool finished, std::int64_t now_ns) {
    if (!m_stopping) {
        m_stopping = true;
        m_reason = reason;
        m_finished = finished;
        m_drain_until_ns = now_ns + m_drain_ns;
    }
}

void Ending::note_ticket(bool fruitless, const Error* fault, std::int64_t now_ns) {
    m_fruitless = fruitless && fault == nullptr ? m_fruitless + 1 : 0;
    m_faulted = fault != nullptr ? m_faulted + 1 : 0;
    if (m_fruitless >= k_fruitless_tickets) {
        stop("nothing new to propose in " + std::to_string(m_fruitless) + " tickets", true, now_ns);
    }
    if (m_faulted >= k_faulted_tickets && !m_stopping) {
        m_fault = *fault;
        stop("fault: " + fault->message(), false, now_ns);
    }
}

void Ending::begin_confirmation(std::int64_t now_ns) {
    m_drained = m_finished;
    m_drain_until_ns = now_ns + m_drain_ns;
}

bool Ending::give_up_waiting(std::int64_t now_ns) {
    if (m_finished && m_signal.requested()) {
        return true;
    }
    if (m_stopping && !m_drained && now_ns > m_drain_until_ns) {
        m_drained = true;
        return true;
    }
    return false;
}

}  // namespace atl
