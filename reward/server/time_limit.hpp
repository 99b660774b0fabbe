#pragma once

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>

namespace atl {

/// Cancels what a socket waits for when the time is over; while it lives. The socket must outlive
/// it, and stays open: what timed out can still be told so.
template <class Socket>
class TimeLimit {
  public:
    TimeLimit(Socket& socket, std::chrono::milliseconds time)
        : m_socket(socket),
          m_timer(socket.get_executor(), time),
          m_over(std::make_shared<bool>(false)) {
        watch();
    }
    TimeLimit(const TimeLimit&) = delete;
    TimeLimit& operator=(const TimeLimit&) = delete;

    [[nodiscard]] bool is_over() const { return *m_over; }

  private:
    /// An operation in several steps may be between two of them, where there is nothing to cancel;
    /// so it is done again and again.
    static constexpr std::chrono::milliseconds k_again{10};

    void watch() {
        m_timer.async_wait([this, over = std::weak_ptr<bool>(m_over)](auto error) {
            // Gone when this is.
            if (const std::shared_ptr<bool> flag = over.lock(); flag && !error) {
                *flag = true;
                boost::system::error_code ignored;
                m_socket.cancel(ignored);
                m_timer.expires_after(k_again);
                watch();
            }
        });
    }

    Socket& m_socket;
    boost::asio::steady_timer m_timer;
    std::shared_ptr<bool> m_over;
};

}  // namespace atl
