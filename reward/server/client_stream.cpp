#include "reward/server/client_stream.hpp"

#include "reward/server/await.hpp"
#include "reward/server/time_limit.hpp"

#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/write.hpp>
#include <sys/socket.h>

#include <array>

namespace atl {

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;

constexpr std::size_t k_most_discarded = 64u << 20;
/// The first byte of every TLS connection: a handshake record.
constexpr char k_tls_handshake = 0x16;

/// The first byte that the client sent, which stays unread; nullopt when there is none.
std::optional<char> first_byte(ClientStream::Socket& socket) {
    char byte = 0;
    const ssize_t size =
        ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT | MSG_NOSIGNAL);
    return size == 1 ? std::optional(byte) : std::nullopt;
}

}  // namespace

awaitable<bool> ClientStream::open(std::chrono::milliseconds limit, std::string_view to_plain,
                                   bool even_silent) {
    if (!m_tls) {
        co_return true;
    }
    bool is_plain = false;
    {
        const TimeLimit time(*this, limit);
        const auto [silent] = co_await socket().async_wait(Socket::wait_read, k_await);
        const std::optional<char> byte = first_byte(socket());
        is_plain = byte ? *byte != k_tls_handshake : even_silent && time.is_over();
        if (!silent && byte && !is_plain) {
            const auto [error] =
                co_await m_tls->async_handshake(asio::ssl::stream_base::server, k_await);
            m_is_opened = !error;
        }
    }
    if (is_plain) {
        co_await refuse(to_plain, limit);
    } else if (!m_is_opened) {
        close();
    }
    co_return m_is_opened;
}

awaitable<error_code> ClientStream::open_at_server(const std::string& host,
                                                   std::chrono::milliseconds limit) {
    SSL_set_tlsext_host_name(m_tls->native_handle(), host.c_str());
    error_code error;
    m_tls->set_verify_callback(asio::ssl::host_name_verification(host), error);
    const TimeLimit time(*this, limit);
    const auto [failed] = co_await m_tls->async_handshake(asio::ssl::stream_base::client, k_await);
    m_is_opened = !failed;
    co_return failed;
}

awaitable<void> ClientStream::refuse(std::string_view to_plain, std::chrono::milliseconds limit) {
    {
        const TimeLimit time(*this, limit);
        const auto [error, size] =
            co_await asio::async_write(socket(), asio::buffer(to_plain), k_await);
        if (error) {
            close();
            co_return;
        }
    }
    co_await discard(limit);
}

awaitable<void> ClientStream::say_end(std::chrono::milliseconds limit) {
    if (m_is_opened && is_open()) {
        const TimeLimit time(*this, limit);
        // Waits for the client's word too; without it, nothing is lost.
        const auto ended = co_await m_tls->async_shutdown(k_await);
        static_cast<void>(ended);
    }
}

awaitable<void> ClientStream::close_gently(std::chrono::milliseconds limit) {
    co_await say_end(limit);
    co_await discard(limit);
}

awaitable<void> ClientStream::discard(std::chrono::milliseconds limit) {
    error_code ignored;
    socket().shutdown(Socket::shutdown_send, ignored);
    const TimeLimit time(*this, limit);
    std::array<char, 16 << 10> waste;
    for (std::size_t discarded = 0; discarded < k_most_discarded;) {
        const auto [error, size] = co_await socket().async_read_some(asio::buffer(waste), k_await);
        if (error) {
            break;
        }
        discarded += size;
    }
    close();
}

}  // namespace atl
