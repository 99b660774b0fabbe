#pragma once

#include "reward/server/client_stream.hpp"
#include "reward/server/service.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace atl {

/// The sockets that a server listens on. Belongs to the server's thread.
class Listeners {
  public:
    explicit Listeners(ServicePtr service) : m_service(std::move(service)) {}
    ~Listeners();
    Listeners(const Listeners&) = delete;
    Listeners& operator=(const Listeners&) = delete;

    /// Opens what the options name. Errors: what cannot be bound, another server at the path.
    [[nodiscard]] Status open();
    /// Serves whoever connects, until close().
    void start();
    /// Removes the Unix socket that it made, too.
    void close();
    /// "http://127.0.0.1:8000", "tcp://127.0.0.1:8001", "unix:/run/atoll.sock"; with TLS
    /// "https://..." and "tls://...".
    [[nodiscard]] std::vector<std::string> addresses() const;

  private:
    [[nodiscard]] Status open_unix();
    boost::asio::awaitable<void> accept_http();
    boost::asio::awaitable<void> accept_tcp();
    boost::asio::awaitable<void> accept_unix();

    /// Of a new connection.
    [[nodiscard]] Asker asker_at(std::string address);
    [[nodiscard]] ClientStream stream_of(boost::asio::ip::tcp::socket socket);

    using Tcp = boost::asio::ip::tcp;
    using Unix = boost::asio::local::stream_protocol;
    ServicePtr m_service;
    std::unique_ptr<boost::asio::ssl::context> m_tls;  // of connections over TCP
    std::unique_ptr<Tcp::acceptor> m_http;
    std::unique_ptr<Tcp::acceptor> m_tcp;
    std::unique_ptr<Unix::acceptor> m_unix;
    std::filesystem::path m_made;  // the Unix socket
};

}  // namespace atl
