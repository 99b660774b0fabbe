#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <utility>

namespace atl {

/// Wakes one coroutine. A ring that nobody waits for is remembered. To be used on its executor's
/// thread alone.
class Bell {
  public:
    explicit Bell(const boost::asio::any_io_executor& executor) : m_timer(executor) {}

    void ring() {
        m_rung = true;
        m_timer.cancel();
    }
    /// True: it rang; false: `until` came first.
    boost::asio::awaitable<bool> wait(std::chrono::steady_clock::time_point until) {
        if (!m_rung) {
            m_timer.expires_at(until);
            co_await m_timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        }
        co_return std::exchange(m_rung, false);
    }

  private:
    boost::asio::steady_timer m_timer;
    bool m_rung = false;
};

}  // namespace atl
