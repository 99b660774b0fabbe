#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace atl::testing {

/// A client's end of a connection, with nothing between the test and the bytes. Reads give up after
/// 60 s.
class SocketClient {
  public:
    static SocketClient to_port(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return SocketClient(AF_INET, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    }
    static SocketClient to_path(const std::string& path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
        return SocketClient(AF_UNIX, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    }
    /// "http://127.0.0.1:8000", "tcp://...", "unix:/path".
    static SocketClient to(const std::string& address) {
        return address.starts_with("unix:") ? to_path(address.substr(5))
                                            : to_port(static_cast<std::uint16_t>(std::atoi(
                                                  address.substr(address.rfind(':') + 1).c_str())));
    }
    virtual ~SocketClient() { close(); }
    SocketClient(SocketClient&& other) noexcept
        : m_fd(std::exchange(other.m_fd, -1)), m_input(std::move(other.m_input)) {}
    SocketClient& operator=(SocketClient&&) = delete;

    void close() {
        if (m_fd >= 0) {
            ::close(std::exchange(m_fd, -1));
        }
    }
    [[nodiscard]] int fd() const { return m_fd; }
    /// False when the other end does not take it all.
    virtual bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(m_fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    /// Up to and without `end`; nullopt when the connection ends or a minute passes before it.
    std::optional<std::string> read_until(std::string_view end) {
        std::size_t at = 0;
        while ((at = m_input.find(end)) == std::string::npos) {
            if (!read_some()) {
                return std::nullopt;
            }
        }
        std::string text = m_input.substr(0, at);
        m_input.erase(0, at + end.size());
        return text;
    }
    std::optional<std::string> read_line() { return read_until("\n"); }
    std::optional<std::string> read_exactly(std::size_t bytes) {
        while (m_input.size() < bytes) {
            if (!read_some()) {
                return std::nullopt;
            }
        }
        std::string text = m_input.substr(0, bytes);
        m_input.erase(0, bytes);
        return text;
    }
    /// All that comes until the other end closes.
    std::string read_to_end() {
        while (read_some()) {
        }
        return std::exchange(m_input, {});
    }

  protected:
    /// As recv().
    virtual ssize_t read_bytes(char* bytes, std::size_t most) {
        pollfd waiting{m_fd, POLLIN, 0};
        return ::poll(&waiting, 1, 60'000) == 1 ? ::recv(m_fd, bytes, most, 0) : -1;
    }

  private:
    SocketClient(int family, const sockaddr* address, socklen_t size)
        : m_fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        if (m_fd < 0 || ::connect(m_fd, address, size) != 0) {
            throw std::runtime_error(std::string("cannot connect: ") + std::strerror(errno));
        }
    }
    bool read_some() {
        char bytes[65536];
        const ssize_t size = read_bytes(bytes, sizeof(bytes));
        if (size <= 0) {
            return false;
        }
        m_input.append(bytes, static_cast<std::size_t>(size));
        return true;
    }

    int m_fd;
    std::string m_input;
};

struct HttpAnswer {
    int status = 0;                              ///< 0: there was none
    std::map<std::string, std::string> headers;  ///< names in small letters
    std::string body;
};

inline std::string http_request(const std::string& method, const std::string& target,
                                const std::string& body = "", const std::string& headers = "") {
    return method + " " + target + " HTTP/1.1\r\nHost: test\r\n" + headers +
           (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") +
           "\r\n" + body;
}

inline std::string read_chunks(SocketClient& client) {
    std::string body;
    while (const auto size = client.read_until("\r\n")) {
        const std::size_t bytes = std::strtoul(size->c_str(), nullptr, 16);
        body += client.read_exactly(bytes).value_or("");
        client.read_until("\r\n");
        if (bytes == 0) {
            return body;
        }
    }
    return body + "[cut off]";
}

inline HttpAnswer read_answer(SocketClient& client) {
    HttpAnswer answer;
    const std::optional<std::string> head = client.read_until("\r\n\r\n");
    if (!head || head->size() < 12) {
        return answer;
    }
    answer.status = std::atoi(head->substr(9, 3).c_str());
    std::size_t begin = head->find("\r\n");
    while (begin != std::string::npos) {
        const std::size_t end = head->find("\r\n", begin + 2);
        const std::string line = head->substr(begin + 2, end - begin - 2);
        std::string name = line.substr(0, line.find(':'));
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        answer.headers[name] = line.substr(std::min(line.find(':') + 2, line.size()));
        begin = end;
    }
    if (answer.headers.contains("transfer-encoding")) {
        answer.body = read_chunks(client);
    } else if (answer.status != 100) {
        const std::string length = answer.headers["content-length"];
        answer.body = client.read_exactly(std::strtoul(length.c_str(), nullptr, 10)).value_or("");
    }
    return answer;
}

inline HttpAnswer exchange(SocketClient& client, const std::string& method,
                           const std::string& target, const std::string& body = "",
                           const std::string& headers = "") {
    client.send(http_request(method, target, body, headers));
    return read_answer(client);
}

}  // namespace atl::testing
