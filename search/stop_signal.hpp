#pragma once

#include <atomic>
#include <memory>
#include <string>

namespace atl {

/// Asks a running campaign to end. Thread-safe. The first request wins.
class StopSignal {
  public:
    void request(const std::string& reason) {
        if (!m_claimed.exchange(true)) {
            m_reason = reason;
            m_requested.store(true, std::memory_order_release);
        }
    }
    [[nodiscard]] bool requested() const { return m_requested.load(std::memory_order_acquire); }
    /// REQUIRES requested().
    [[nodiscard]] const std::string& reason() const { return m_reason; }

  private:
    std::atomic<bool> m_claimed{false};
    std::atomic<bool> m_requested{false};
    std::string m_reason;
};

/// While it lives, the first SIGINT, SIGTERM or SIGHUP requests a stop (the campaign drains), and a
/// second SIGINT or SIGTERM ends the process at once with status 130 (the journal is safe at any
/// instant). A second SIGHUP does not: a terminal that is closed may send several. Where SIGHUP is
/// ignored (nohup), it stays so. Signals are handled on a thread of its own, so they work whatever
/// the campaign is doing.
class SignalWatch {
  public:
    explicit SignalWatch(StopSignal& stop);
    /// What is written to standard error when the second signal ends the process. From any thread.
    void say_at_end(std::string farewell);
    ~SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

  private:
    struct State;
    std::unique_ptr<State> m_state;
};

}  // namespace atl
