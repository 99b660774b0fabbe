#pragma once

#include "tests/support/shell.hpp"
#include "tests/support/socket_client.hpp"

#include <openssl/ssl.h>
#include <sys/time.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace atl::testing {

/// A certificate for 127.0.0.1 and localhost, and the authority that signed it: made anew, by the
/// openssl program.
struct Certificates {
    explicit Certificates(const std::filesystem::path& folder)
        : authority(folder / "ca.pem"), chain(folder / "chain.pem"), key(folder / "key.pem") {
        const std::string commands =
            "cd " + folder.string() +
            " && new='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'"
            " && openssl req -x509 $new -days 2 -subj /CN=test-authority -keyout ca.key -out ca.pem"
            " && openssl req $new -subj /CN=test-server -keyout key.pem -out server.csr"
            " && echo subjectAltName=IP:127.0.0.1,DNS:localhost >names"
            " && openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
            " -extfile names -out server.pem"
            " && cat server.pem ca.pem >chain.pem && chmod 600 key.pem";
        const ShellResult made = run_shell(commands);
        if (made.status != 0) {
            throw std::runtime_error("no certificates: " + made.err);
        }
    }
    std::filesystem::path authority;
    std::filesystem::path chain;
    std::filesystem::path key;
};

/// A client that speaks TLS and trusts one authority, or none.
class TlsClient final : public SocketClient {
  public:
    /// Shakes hands at once; connected() tells whether that went well. `newest`: TLS1_1_VERSION.
    TlsClient(SocketClient&& plain, const std::filesystem::path& authority, int newest = 0)
        : SocketClient(std::move(plain)),
          m_context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
        SSL_CTX_set_verify(m_context.get(), SSL_VERIFY_PEER, nullptr);
        if (!authority.empty()) {
            SSL_CTX_load_verify_file(m_context.get(), authority.c_str());
        }
        if (newest != 0) {
            SSL_CTX_set_security_level(m_context.get(), 0);
            SSL_CTX_set_max_proto_version(m_context.get(), newest);
        }
        m_ssl = {SSL_new(m_context.get()), SSL_free};
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(m_ssl.get()), "127.0.0.1");
        const timeval patience{60, 0};
        ::setsockopt(fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        SSL_set_fd(m_ssl.get(), fd());
        m_connected = SSL_connect(m_ssl.get()) == 1;
    }
    [[nodiscard]] bool connected() const { return m_connected; }
    bool send(std::string_view bytes) override {
        return SSL_write(m_ssl.get(), bytes.data(), static_cast<int>(bytes.size())) ==
               static_cast<int>(bytes.size());
    }
    /// Whether the other end said that nothing more comes.
    [[nodiscard]] bool was_ended() const {
        return (SSL_get_shutdown(m_ssl.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
    }
    /// Says so itself; the connection stays open.
    void say_end() { SSL_shutdown(m_ssl.get()); }

  protected:
    ssize_t read_bytes(char* bytes, std::size_t most) override {
        return SSL_read(m_ssl.get(), bytes, static_cast<int>(most));
    }

  private:
    std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> m_context;
    std::unique_ptr<SSL, void (*)(SSL*)> m_ssl{nullptr, SSL_free};
    bool m_connected = false;
};

}  // namespace atl::testing
