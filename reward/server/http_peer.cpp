#include "reward/server/http_peer.hpp"

#include "reward/server/time_limit.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>
#include <sys/socket.h>

#include <cerrno>

namespace atl {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;
using asio::ip::tcp;

constexpr auto k_await = asio::as_tuple(asio::use_awaitable);

/// Lives as long as the socket may call back.
struct Watch {
    Bell* bell = nullptr;  ///< nullptr: nobody waits any more
    bool readable = false;
};

}  // namespace

bool HttpPeer::has_gone() {
    char byte = 0;
    const ssize_t size =
        ::recv(m_socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT | MSG_NOSIGNAL);
    return size == 0 || (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

awaitable<Woken> HttpPeer::wait(Bell& bell, std::chrono::steady_clock::time_point until) {
    // A client that has sent its next request already cannot be watched, as that is not read yet.
    const auto watch = std::make_shared<Watch>();
    const bool watching = m_buffer.size() == 0 && !m_pipelined;
    if (watching) {
        watch->bell = &bell;
        m_socket.async_wait(tcp::socket::wait_read, [watch](boost::system::error_code error) {
            if (watch->bell != nullptr && !error) {
                watch->readable = true;
                watch->bell->ring();
            }
        });
    }
    const bool rang = co_await bell.wait(until);
    watch->bell = nullptr;
    if (watch->readable) {
        if (has_gone()) {
            co_return Woken::gone;
        }
        m_pipelined = true;  // readable for good: watching it again would ring without end
    } else if (watching) {
        boost::system::error_code ignored;
        m_socket.cancel(ignored);
    }
    co_return rang ? Woken::rang : Woken::late;
}

template <class Buffers>
awaitable<bool> HttpPeer::write(const Buffers& buffers) {
    const TimeLimit limit(m_socket, m_write_time);
    const auto [error, sent] = co_await asio::async_write(m_socket, buffers, k_await);
    m_keep = m_keep && !error;
    co_return !error;
}

awaitable<bool> HttpPeer::send_head(unsigned status, std::string_view type) {
    m_streaming = true;
    http::response<http::empty_body> head;
    head.result(status);
    head.set(http::field::content_type, boost::beast::string_view(type.data(), type.size()));
    head.set(http::field::cache_control, "no-store");
    head.chunked(m_chunked);
    head.keep_alive(m_keep);
    http::response_serializer<http::empty_body> serializer(head);
    const TimeLimit limit(m_socket, m_write_time);
    const auto [error, sent] = co_await http::async_write_header(m_socket, serializer, k_await);
    m_keep = m_keep && !error;
    co_return !error;
}

awaitable<bool> HttpPeer::send_chunk(std::string_view text) {
    const asio::const_buffer buffer(text.data(), text.size());
    if (!m_chunked) {
        co_return co_await write(buffer);
    }
    const auto chunk = http::make_chunk(buffer);
    co_return co_await write(chunk);
}

awaitable<bool> HttpPeer::send_end() {
    if (!m_chunked) {
        co_return true;
    }
    const auto last = http::make_chunk_last();
    co_return co_await write(last);
}

}  // namespace atl
