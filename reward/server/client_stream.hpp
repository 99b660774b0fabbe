#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace atl {

/// A client's connection, at either end, in plain or inside of TLS: what Asio and Beast read from
/// and write to. One read and one write may be under way at a time. Belongs to its executor's
/// thread.
class ClientStream {
  public:
    using Socket = boost::asio::generic::stream_protocol::socket;
    using executor_type = Socket::executor_type;

    explicit ClientStream(Socket socket) : m_plain(std::move(socket)) {}
    ClientStream(Socket socket, boost::asio::ssl::context& context)
        : m_tls(std::make_unique<Tls>(std::move(socket), context)) {}

    [[nodiscard]] bool is_tls() const { return m_tls != nullptr; }
    /// Below TLS.
    [[nodiscard]] Socket& socket() { return m_tls ? m_tls->next_layer() : *m_plain; }
    [[nodiscard]] executor_type get_executor() { return socket().get_executor(); }
    [[nodiscard]] bool is_open() { return socket().is_open(); }
    void cancel(boost::system::error_code& error) { socket().cancel(error); }
    void close() {
        boost::system::error_code ignored;
        socket().close(ignored);
    }

    template <class Buffers, class Token>
    BOOST_ASIO_INITFN_RESULT_TYPE(Token, void(boost::system::error_code, std::size_t))
    async_read_some(const Buffers& buffers, Token&& token) {
        if (m_tls) {
            return m_tls->async_read_some(buffers, std::forward<Token>(token));
        }
        return m_plain->async_read_some(buffers, std::forward<Token>(token));
    }
    template <class Buffers, class Token>
    BOOST_ASIO_INITFN_RESULT_TYPE(Token, void(boost::system::error_code, std::size_t))
    async_write_some(const Buffers& buffers, Token&& token) {
        if (m_tls) {
            return m_tls->async_write_some(buffers, std::forward<Token>(token));
        }
        return m_plain->async_write_some(buffers, std::forward<Token>(token));
    }

    /// The TLS handshake, where there is one. False: there was none within `limit`, and the
    /// connection has ended. A client that does not speak TLS is told `to_plain`, as it is; one
    /// that says nothing too, if `even_silent` (it may wait for the server to begin).
    boost::asio::awaitable<bool> open(std::chrono::milliseconds limit, std::string_view to_plain,
                                      bool even_silent);
    /// The handshake at the client's end. REQUIRES TLS. The server's certificate must be one for
    /// `host`.
    boost::asio::awaitable<boost::system::error_code> open_at_server(
        const std::string& host, std::chrono::milliseconds limit);
    /// Ends TLS so that the client knows that nothing was cut off. REQUIRES that nothing is read or
    /// written.
    boost::asio::awaitable<void> say_end(std::chrono::milliseconds limit);
    /// Closes it without losing what was written: a connection closed with unread bytes is reset,
    /// and the client may lose our last answer. So what it still sends is thrown away for a while.
    boost::asio::awaitable<void> close_gently(std::chrono::milliseconds limit);

  private:
    using Tls = boost::asio::ssl::stream<Socket>;

    boost::asio::awaitable<void> refuse(std::string_view to_plain, std::chrono::milliseconds limit);
    boost::asio::awaitable<void> discard(std::chrono::milliseconds limit);

    std::optional<Socket> m_plain;
    std::unique_ptr<Tls> m_tls;
    bool m_is_opened = false;  // TLS has begun
};

}  // namespace atl
