#include "reward/server/listeners.hpp"

#include "reward/server/await.hpp"
#include "reward/server/http_session.hpp"
#include "reward/server/line_session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <functional>

namespace atl {

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Unix = asio::local::stream_protocol;

/// After accept() failed for want of descriptors: until some are free again.
constexpr std::chrono::milliseconds k_pause{100};

Error bind_error(const error_code& error, const std::string& where) {
    const bool taken = error == asio::error::address_in_use;
    return {taken ? ErrorCode::already_exists : ErrorCode::io, "cannot listen: " + error.message(),
            where, taken ? "another program has it: choose another one" : ""};
}

Expected<std::unique_ptr<Tcp::acceptor>> listen(asio::io_context& io,
                                                const ListenAddress& address) {
    auto acceptor = std::make_unique<Tcp::acceptor>(io);
    const Tcp::endpoint endpoint(asio::ip::make_address(address.host), address.port);
    error_code error;
    acceptor->open(endpoint.protocol(), error);
    if (!error) {
        acceptor->set_option(Tcp::acceptor::reuse_address(true), error);
    }
    if (!error) {
        acceptor->bind(endpoint, error);
    }
    if (!error) {
        acceptor->listen(SOMAXCONN, error);
    }
    if (error) {
        return tl::unexpected(bind_error(error, address.text()));
    }
    return acceptor;
}

/// So that a peer that vanished without a word is noticed, answer or not.
void watch_peer(Tcp::socket& socket) {
    error_code ignored;
    socket.set_option(Tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    using Option = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;
    using Interval = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;
    using Count = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPCNT>;
    socket.set_option(Option(30), ignored);
    socket.set_option(Interval(10), ignored);
    socket.set_option(Count(3), ignored);
}

template <class Acceptor>
awaitable<void> accept_from(Acceptor& acceptor, ServicePtr service,
                            std::function<void(typename Acceptor::protocol_type::socket)> serve) {
    while (acceptor.is_open()) {
        auto [error, socket] = co_await acceptor.async_accept(k_await);
        if (error == asio::error::operation_aborted) {
            co_return;
        }
        if (error) {
            asio::steady_timer pause(acceptor.get_executor(), k_pause);
            co_await pause.async_wait(k_await);
        } else if (service->connections >= service->options.sizes.connections) {
            // Closed at once: an answer to each would let a flood keep us busy.
            error_code ignored;
            socket.close(ignored);
        } else {
            serve(std::move(socket));
        }
    }
}

/// Without the port: connections of one machine are one client's.
std::string peer_of(const Tcp::socket& socket) {
    error_code error;
    const Tcp::endpoint peer = socket.remote_endpoint(error);
    return error ? "gone" : peer.address().to_string();
}

/// Everybody there is this user: a process is a client.
std::string peer_of(Unix::socket& socket) {
    ucred peer{};
    socklen_t size = sizeof(peer);
    ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size);
    return "process " + std::to_string(peer.pid);
}

std::string address_of(const char* scheme, const Tcp::acceptor& acceptor) {
    error_code ignored;
    const Tcp::endpoint endpoint = acceptor.local_endpoint(ignored);
    return std::string(scheme) +
           ListenAddress{endpoint.address().to_string(), endpoint.port()}.text();
}

}  // namespace

Listeners::~Listeners() {
    close();
}

Status Listeners::open() {
    const ServerOptions& options = m_service->options;
    ATOLL_TRY(check_server_options(options));
    if (options.tls) {
        m_tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
        ATOLL_TRY(load_tls(*m_tls, *options.tls));
    }
    if (options.http) {
        ATOLL_TRY_ASSIGN(m_http, listen(m_service->threads.io, *options.http));
    }
    if (options.tcp) {
        ATOLL_TRY_ASSIGN(m_tcp, listen(m_service->threads.io, *options.tcp));
    }
    return options.unix_path.empty() ? Status() : open_unix();
}

Status Listeners::open_unix() {
    const std::filesystem::path& path = m_service->options.unix_path;
    error_code error;
    Unix::socket probe(m_service->threads.io);
    probe.connect(Unix::endpoint(path.string()), error);
    if (!error) {
        return failure(ErrorCode::already_exists, "a server listens at this socket already",
                       path.string(), "stop it, or choose another path");
    }
    std::error_code ignored;
    if (std::filesystem::is_socket(path, ignored)) {
        std::filesystem::remove(path, ignored);  // of a server that was killed
    }
    m_unix = std::make_unique<Unix::acceptor>(m_service->threads.io);
    error.clear();
    m_unix->open(Unix(), error);
    const mode_t mask = ::umask(0177);  // for this user alone
    if (!error) {
        m_unix->bind(Unix::endpoint(path.string()), error);
    }
    ::umask(mask);
    if (!error) {
        m_made = path;
        m_unix->listen(SOMAXCONN, error);
    }
    return error ? Status(tl::unexpected(bind_error(error, path.string()))) : Status();
}

void Listeners::start() {
    asio::io_context& io = m_service->threads.io;
    if (m_http) {
        asio::co_spawn(io, accept_http(), asio::detached);
    }
    if (m_tcp) {
        asio::co_spawn(io, accept_tcp(), asio::detached);
    }
    if (m_unix) {
        asio::co_spawn(io, accept_unix(), asio::detached);
    }
}

Asker Listeners::asker_at(std::string address) {
    return {std::move(address), ++m_service->connections_so_far};
}

ClientStream Listeners::stream_of(Tcp::socket socket) {
    ClientStream::Socket any(std::move(socket));
    return m_tls ? ClientStream(std::move(any), *m_tls) : ClientStream(std::move(any));
}

awaitable<void> Listeners::accept_http() {
    const ServicePtr service = m_service;
    return accept_from(*m_http, service, [this, service](Tcp::socket socket) {
        watch_peer(socket);
        Asker from = asker_at(peer_of(socket));
        const auto executor = socket.get_executor();
        asio::co_spawn(executor, serve_http(stream_of(std::move(socket)), std::move(from), service),
                       asio::detached);
    });
}

awaitable<void> Listeners::accept_tcp() {
    const ServicePtr service = m_service;
    return accept_from(*m_tcp, service, [this, service](Tcp::socket socket) {
        watch_peer(socket);
        Asker from = asker_at(peer_of(socket));
        const auto executor = socket.get_executor();
        asio::co_spawn(executor,
                       serve_lines(stream_of(std::move(socket)), std::move(from), service,
                                   service->options.token.has_value()),
                       asio::detached);
    });
}

awaitable<void> Listeners::accept_unix() {
    const ServicePtr service = m_service;
    return accept_from(*m_unix, service, [this, service](Unix::socket socket) {
        Asker from = asker_at(peer_of(socket));
        const auto executor = socket.get_executor();
        asio::co_spawn(executor,
                       serve_lines(ClientStream(ClientStream::Socket(std::move(socket))),
                                   std::move(from), service, false),
                       asio::detached);
    });
}

void Listeners::close() {
    error_code ignored;
    if (m_http) {
        m_http->close(ignored);
    }
    if (m_tcp) {
        m_tcp->close(ignored);
    }
    if (m_unix) {
        m_unix->close(ignored);
    }
    if (!m_made.empty()) {
        std::error_code ignored_too;
        std::filesystem::remove(std::exchange(m_made, {}), ignored_too);
    }
}

std::vector<std::string> Listeners::addresses() const {
    std::vector<std::string> texts;
    if (m_http) {
        texts.push_back(address_of(m_tls ? "https://" : "http://", *m_http));
    }
    if (m_tcp) {
        texts.push_back(address_of(m_tls ? "tls://" : "tcp://", *m_tcp));
    }
    if (m_unix) {
        texts.push_back("unix:" + m_service->options.unix_path.string());
    }
    return texts;
}

}  // namespace atl
