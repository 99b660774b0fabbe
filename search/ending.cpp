#include "search/ending.hpp"

#include <algorithm>

namespace atl {

namespace {

constexpr std::uint64_t k_fruitless_tickets = 100;  // in a row: everything in reach is known
constexpr std::uint64_t k_faulted_tickets = 5;      // in a row: something is broken

bool needs_models(const CampaignConfig& config) {
    const auto weights = operator_weights(config);
    return config.asking.when_down == "stop" ||
           std::all_of(weights.begin(), weights.end(),
                       [](const auto& one) { return operator_asks_model(one.first); });
}

}  // namespace

Ending::Ending(const CampaignConfig& config, const StopSignal& signal)
    : m_signal(signal),
      m_rule(make_stop_rule(config.stop)),
      m_drain_ns(config.engine.drain_seconds * 1'000'000'000),
      m_needs_models(needs_models(config)) {}

void Ending::look(const StopView& view, const Error& last_fault, const Error& unanswered) {
    if (m_stopping) {
        return;
    }
    if (m_signal.requested()) {
        stop(m_signal.reason(), false, view.elapsed_ns);
    } else if (const auto why = m_rule.reason(view)) {
        stop(*why, true, view.elapsed_ns);
    } else if (view.state.fruitless_in_row() >= k_fruitless_tickets) {
        stop("nothing new to propose in " + std::to_string(view.state.fruitless_in_row()) +
                 " tickets",
             true, view.elapsed_ns);
    } else if (view.state.faults_in_row() >= k_faulted_tickets) {
        m_fault = last_fault;
        stop("fault: " + last_fault.message(), false, view.elapsed_ns);
    } else if (m_needs_models && view.state.unanswered_in_row() >= k_faulted_tickets) {
        m_fault = unanswered;
        stop("no model answers: " + unanswered.message(), false, view.elapsed_ns);
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

void Ending::begin_confirmation(std::int64_t now_ns) {
    m_drained = m_finished;
    m_drain_until_ns = now_ns + m_drain_ns;
}

bool Ending::give_up_waiting(std::int64_t now_ns) {
    if (m_stopping && !m_drained && now_ns > m_drain_until_ns) {
        m_drained = true;
        return true;
    }
    return false;
}

}  // namespace atl
