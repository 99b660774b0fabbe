#pragma once

#include "reward/base/error.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <optional>
#include <utility>

namespace atl {

using Work = boost::asio::awaitable<void>;

/// How an Error leaves coroutines; WorkLoop::run() turns it back into one.
struct WorkFailure {
    Error error;
};

inline void check(Status status) {
    if (!status) {
        throw WorkFailure{std::move(status.error())};
    }
}

template <class T>
T check(Expected<T> expected) {
    if (!expected) {
        throw WorkFailure{std::move(expected.error())};
    }
    return std::move(*expected);
}

/// The coroutines of one campaign, all on the thread that calls run(). The first failure of one
/// ends them all. Must outlive everything that its coroutines wait on.
class WorkLoop {
  public:
    [[nodiscard]] boost::asio::io_context& io() { return m_io; }
    void spawn(Work work);
    /// Runs until nothing is left to do.
    [[nodiscard]] Status run();
    /// Waits that long, or until somebody calls wake().
    [[nodiscard]] Work pause(std::chrono::milliseconds time);
    void wake() { m_wake.cancel(); }

  private:
    boost::asio::io_context m_io{1};
    boost::asio::steady_timer m_wake{m_io};
    std::optional<Error> m_failure;
};

}  // namespace atl
