#pragma once

#include "reward/server/bell.hpp"
#include "reward/server/client_stream.hpp"
#include "reward/server/remote_address.hpp"
#include "reward/server/remote_message.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>

namespace atl {

/// A connection to a server, at the client's end; goes with the last coroutine that serves it.
/// Belongs to its executor's thread.
class RemoteConnection {
  public:
    using Clock = std::chrono::steady_clock;

    /// `url`: for errors.
    RemoteConnection(ClientStream made, std::string url)
        : stream(std::move(made)), to_write(stream.get_executor()), m_url(std::move(url)) {}

    /// What the server says next. Errors: corrupt for what breaks the protocol, unavailable when
    /// the connection has ended, for the reason of lose() where there was one.
    [[nodiscard]] boost::asio::awaitable<Expected<RemoteMessage>> next_message();
    /// Ends it.
    void lose(std::string why);
    /// A server that says nothing for long is asked whether it is there (true: with a line in
    /// `first_words`) and given up after twice that: it may be gone without a word.
    bool look_at_silence();

    ClientStream stream;
    Bell to_write;
    std::deque<std::string> first_words;  ///< before any job: the token, the question
    bool is_ready = false;                ///< the server has described itself
    bool is_over = false;
    std::size_t credits = 0;
    std::size_t line_bytes = 0;

  private:
    const std::string m_url;
    std::string m_input;
    std::size_t m_searched = 0;  // no line's end before it
    Clock::time_point m_heard = Clock::now();
    bool m_pinged = false;
    std::string m_why;  // it ended, as far as it is known
};

using RemoteConnectionPtr = std::shared_ptr<RemoteConnection>;

/// nullptr: there is none, for `why`. `tls`: of clients, where the address wants it. `limit`: for
/// each step.
[[nodiscard]] boost::asio::awaitable<RemoteConnectionPtr> connect_to(
    boost::asio::io_context& io, boost::asio::ssl::context& tls, const RemoteAddress& address,
    const std::string& url, std::chrono::milliseconds limit, std::string& why);

[[nodiscard]] Error unreachable(const std::string& url, const std::string& why);

}  // namespace atl
