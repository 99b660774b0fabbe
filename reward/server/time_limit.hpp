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
        : m_timer(socket.get_executor(), time), m_over(std::make_shared<bool>(false)) {
        m_timer.async_wait([over = std::weak_ptr<bool>(m_over), &socket](auto error) {
            // Gone when the limit is, so that the socket is there whenever this is.
            if (const std::shared_ptr<bool> flag = over.lock(); flag && !error) {
                *flag = true;
                boost::system::error_code ignored;
                socket.cancel(ignored);
            }
        });
    }
    TimeLimit(const TimeLimit&) = delete;
    TimeLimit& operator=(const TimeLimit&) = delete;

    [[nodiscard]] bool is_over() const { return *m_over; }

  private:
    boost::asio::steady_timer m_timer;
    std::shared_ptr<bool> m_over;
};

}  // namespace atl
