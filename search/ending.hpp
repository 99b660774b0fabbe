#pragma once

#include "reward/base/error.hpp"
#include "search/config.hpp"
#include "search/stop_signal.hpp"
#include "search/stops/stop_rule.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace atl {

/// Whether and why a campaign ends. The first reason stands. Not thread-safe.
class Ending {
  public:
    Ending(const CampaignConfig& config, const StopSignal& signal);

    /// Looks at the signal, the stop rules, and at how many tickets in a row had nothing to propose
    /// or were lost to faults of ours, the last of which was `last_fault`, or got no answer from a
    /// model, the last time because of `unanswered`. But for the signal and
    /// the time budget, the answer follows from the recorded events alone: look after each.
    void look(const StopView& view, const Error& last_fault, const Error& unanswered = {});
    void stop(const std::string& reason, bool finished, std::int64_t now_ns);

    [[nodiscard]] bool stopping() const { return m_stopping; }
    [[nodiscard]] bool finished() const { return m_finished; }
    [[nodiscard]] const std::string& reason() const { return m_reason; }
    [[nodiscard]] const std::optional<Error>& fault() const { return m_fault; }
    /// The last confirmations begin: an interrupted campaign waits for all of them together as long
    /// as for draining.
    void begin_confirmation(std::int64_t now_ns);
    /// The signal that asked for the end, whether or not it is the reason; empty: none.
    [[nodiscard]] std::string_view signal() const {
        return m_signal.requested() ? std::string_view(m_signal.reason()) : std::string_view();
    }
    /// True once, when the time to drain is over: what is still in work should not be waited for
    /// any longer.
    [[nodiscard]] bool give_up_waiting(std::int64_t now_ns);

  private:
    const StopSignal& m_signal;
    StopRule m_rule;
    std::int64_t m_drain_ns;
    bool m_needs_models;
    bool m_stopping = false;
    bool m_finished = false;
    bool m_drained = false;
    std::int64_t m_drain_until_ns = 0;
    std::string m_reason;
    std::optional<Error> m_fault;
};

}  // namespace atl
