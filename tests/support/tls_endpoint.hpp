#pragma once

#include "tests/support/tls_client.hpp"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace atl::testing {

/// An https endpoint of one answer, which it gives to every request: one request a connection, one
/// connection at a time.
class TlsEndpoint {
  public:
    TlsEndpoint(const Certificates& certificates, std::string body)
        : m_body(std::move(body)), m_context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
        SSL_CTX_use_certificate_chain_file(m_context.get(), certificates.chain.c_str());
        SSL_CTX_use_PrivateKey_file(m_context.get(), certificates.key.c_str(), SSL_FILETYPE_PEM);
        SSL_CTX_set_alpn_select_cb(m_context.get(), &TlsEndpoint::choose, this);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        ::bind(m_socket, reinterpret_cast<sockaddr*>(&address), size);
        ::listen(m_socket, 16);
        ::getsockname(m_socket, reinterpret_cast<sockaddr*>(&address), &size);
        m_port = ntohs(address.sin_port);
        m_thread = std::thread([this] { serve(); });
    }
    ~TlsEndpoint() {
        ::shutdown(m_socket, SHUT_RDWR);  // wakes accept()
        m_thread.join();
        ::close(m_socket);
    }
    TlsEndpoint(const TlsEndpoint&) = delete;
    TlsEndpoint& operator=(const TlsEndpoint&) = delete;

    [[nodiscard]] std::string url() const {
        return "https://127.0.0.1:" + std::to_string(m_port) + "/v1";
    }
    [[nodiscard]] int connections() const { return m_connections; }
    [[nodiscard]] int requests() const { return m_requests; }
    /// Whether the last client would have spoken HTTP/2.
    [[nodiscard]] bool was_offered_http2() const { return m_offered_http2; }

  private:
    /// Of the protocols that the client offers; HTTP/1.1 is taken.
    static int choose(SSL*, const unsigned char** chosen, unsigned char* size,
                      const unsigned char* offered, unsigned int bytes, void* self) {
        const std::string_view all(reinterpret_cast<const char*>(offered), bytes);
        static_cast<TlsEndpoint*>(self)->m_offered_http2 = all.find("\2h2") != all.npos;
        const std::size_t at = all.find("\10http/1.1");
        if (at == all.npos) {
            return SSL_TLSEXT_ERR_NOACK;
        }
        *chosen = offered + at + 1;
        *size = 8;
        return SSL_TLSEXT_ERR_OK;
    }

    void serve() {
        for (int client = 0; (client = ::accept(m_socket, nullptr, nullptr)) >= 0;) {
            ++m_connections;
            const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(m_context.get()), SSL_free);
            SSL_set_fd(tls.get(), client);
            if (SSL_accept(tls.get()) == 1) {
                answer(tls.get());
            }
            ::close(client);
        }
    }

    void answer(SSL* tls) {
        char bytes[65536];
        std::string request;
        while (request.find("}]}") == std::string::npos) {  // the end of a request for a chat
            const int size = SSL_read(tls, bytes, sizeof(bytes));
            if (size <= 0) {
                return;
            }
            request.append(bytes, static_cast<std::size_t>(size));
        }
        ++m_requests;
        const std::string reply = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " +
                                  std::to_string(m_body.size()) + "\r\n\r\n" + m_body;
        SSL_write(tls, reply.data(), static_cast<int>(reply.size()));
        SSL_shutdown(tls);
    }

    std::string m_body;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> m_context;
    int m_socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    std::uint16_t m_port = 0;
    std::atomic<int> m_connections{0};
    std::atomic<int> m_requests{0};
    std::atomic<bool> m_offered_http2{false};
    std::thread m_thread;
};

}  // namespace atl::testing
