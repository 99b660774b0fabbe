#include "reward/server/http_peer.hpp"

#include "reward/server/await.hpp"
#include "reward/server/time_limit.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace atl {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;

/// Lives as long as the socket may call back.
struct Watch {
    Bell* bell = nullptr;  ///< nullptr: nobody waits any more
    bool readable = false;
};

/// A read that shows whether the client is still there.
struct ReadWatch {
    explicit ReadWatch(const asio::any_io_executor& executor) : ended_bell(executor) {}
    Bell* bell = nullptr;
    Bell ended_bell;
    bool ended = false;
    boost::system::error_code error;
    std::size_t size = 0;
    std::array<char, 4096> bytes{};
};

/// A read in several steps may be between two of them, where there is nothing to cancel; so it is
/// cancelled again and again.
constexpr std::chrono::milliseconds k_again{10};

}  // namespace

bool HttpPeer::has_gone() {
    char byte = 0;
    const ssize_t size =
        ::recv(m_stream.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT | MSG_NOSIGNAL);
    return size == 0 || (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

/// Inside of TLS: only reading tells records that end the connection from others.
awaitable<Woken> HttpPeer::wait_reading(Bell& bell, std::chrono::steady_clock::time_point until) {
    const auto watch = std::make_shared<ReadWatch>(m_stream.get_executor());
    watch->bell = &bell;
    m_stream.async_read_some(asio::buffer(watch->bytes),
                             [watch](boost::system::error_code error, std::size_t size) {
                                 watch->ended = true;
                                 watch->error = error;
                                 watch->size = size;
                                 watch->ended_bell.ring();
                                 if (watch->bell != nullptr) {
                                     watch->bell->ring();
                                 }
                             });
    const bool rang = co_await bell.wait(until);
    watch->bell = nullptr;
    while (!watch->ended) {
        boost::system::error_code ignored;
        m_stream.cancel(ignored);
        const bool ended =
            co_await watch->ended_bell.wait(std::chrono::steady_clock::now() + k_again);
        static_cast<void>(ended);
    }
    if (watch->size > 0) {
        const asio::mutable_buffer room = m_buffer.prepare(watch->size);
        std::memcpy(room.data(), watch->bytes.data(), watch->size);
        m_buffer.commit(watch->size);
    } else if (watch->error != asio::error::operation_aborted) {
        co_return Woken::gone;
    }
    co_return rang ? Woken::rang : Woken::late;
}

awaitable<Woken> HttpPeer::wait(Bell& bell, std::chrono::steady_clock::time_point until) {
    if (m_stream.is_tls() && m_buffer.size() == 0) {
        co_return co_await wait_reading(bell, until);
    }
    // A client that has sent its next request already cannot be watched, as that is not read yet.
    const auto watch = std::make_shared<Watch>();
    const bool watching = m_buffer.size() == 0 && !m_pipelined;
    if (watching) {
        watch->bell = &bell;
        m_stream.socket().async_wait(ClientStream::Socket::wait_read,
                                     [watch](boost::system::error_code error) {
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
        m_stream.cancel(ignored);
    }
    co_return rang ? Woken::rang : Woken::late;
}

template <class Buffers>
awaitable<bool> HttpPeer::write(const Buffers& buffers) {
    const TimeLimit limit(m_stream, m_write_time);
    const auto [error, sent] = co_await asio::async_write(m_stream, buffers, k_await);
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
    const TimeLimit limit(m_stream, m_write_time);
    const auto [error, sent] = co_await http::async_write_header(m_stream, serializer, k_await);
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
