#include "reward/server/remote_connection.hpp"

#include "reward/server/await.hpp"
#include "reward/server/time_limit.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <string_view>
#include <utility>

namespace atl {

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Unix = asio::local::stream_protocol;

constexpr std::size_t k_longest_line = 64u << 20;
constexpr std::size_t k_read_bytes = 64u << 10;
constexpr std::chrono::seconds k_quiet{30};

awaitable<error_code> open_tcp(Tcp::socket& socket, const RemoteAddress& address,
                               std::chrono::milliseconds limit) {
    Tcp::resolver resolver(socket.get_executor());
    const auto [unknown, places] =
        co_await resolver.async_resolve(address.host, address.port, k_await);
    if (unknown) {
        co_return unknown;
    }
    const TimeLimit time(socket, limit);
    const auto [failed, place] = co_await asio::async_connect(socket, places, k_await);
    error_code error = failed;
    if (!error) {
        socket.set_option(Tcp::no_delay(true), error);
    }
    co_return error;
}

RemoteConnectionPtr made_of(ClientStream stream, const std::string& url) {
    return std::make_shared<RemoteConnection>(std::move(stream), url);
}

}  // namespace

Error unreachable(const std::string& url, const std::string& why) {
    return {ErrorCode::unavailable, "the server cannot be reached: " + why, url,
            "is `atoll serve` running there?"};
}

awaitable<Expected<RemoteMessage>> RemoteConnection::next_message() {
    std::size_t end = m_input.find('\n', m_searched);
    while (end == std::string::npos) {
        m_searched = m_input.size();
        if (m_input.size() > k_longest_line) {
            co_return failure(ErrorCode::corrupt, "it says a line without end", m_url);
        }
        m_input.resize(m_searched + k_read_bytes);
        const auto room = asio::buffer(m_input.data() + m_searched, k_read_bytes);
        const auto [error, size] = co_await stream.async_read_some(room, k_await);
        m_input.resize(m_searched + size);
        if (error) {
            co_return tl::unexpected(unreachable(m_url, m_why.empty() ? error.message() : m_why));
        }
        m_heard = Clock::now();
        m_pinged = false;
        end = m_input.find('\n', m_searched);
    }
    Expected<RemoteMessage> message = read_remote_message(std::string_view(m_input).substr(0, end));
    m_input.erase(0, end + 1);
    m_searched = 0;
    co_return message;
}

void RemoteConnection::lose(std::string why) {
    m_why = std::move(why);
    stream.close();
}

bool RemoteConnection::look_at_silence() {
    const auto quiet = Clock::now() - m_heard;
    if (quiet > 2 * k_quiet) {
        lose("it does not answer");
        return false;
    }
    if (quiet <= k_quiet || std::exchange(m_pinged, true)) {
        return false;
    }
    first_words.push_back(ping_line());
    return true;
}

awaitable<RemoteConnectionPtr> connect_to(asio::io_context& io, asio::ssl::context& tls,
                                          const RemoteAddress& address, const std::string& url,
                                          std::chrono::milliseconds limit, std::string& why) {
    error_code error;
    if (address.way == RemoteAddress::Way::unix_socket) {
        Unix::socket socket(io);
        socket.connect(Unix::endpoint(address.path), error);
        why = error.message();
        co_return error ? nullptr
                        : made_of(ClientStream(ClientStream::Socket(std::move(socket))), url);
    }
    Tcp::socket socket(io);
    error = co_await open_tcp(socket, address, limit);
    if (error) {
        why = error.message();
        co_return nullptr;
    }
    ClientStream::Socket any(std::move(socket));
    if (address.way == RemoteAddress::Way::tcp) {
        co_return made_of(ClientStream(std::move(any)), url);
    }
    ClientStream stream(std::move(any), tls);
    error = co_await stream.open_at_server(address.host, limit);
    why = error.message();
    co_return error ? nullptr : made_of(std::move(stream), url);
}

}  // namespace atl
