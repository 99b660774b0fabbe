#include "mutators/model/agent_peer.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

namespace atl {

namespace {

using std::chrono::milliseconds;

constexpr std::string_view k_unix = "unix:";
constexpr std::string_view k_tcp = "tcp://";
constexpr std::size_t k_read_bytes = 64 << 10;
constexpr int k_last_breath_ms = 200;  // from closing its end to exiting

struct HostAndPort {
    std::string host;
    std::string port;
};

/// "[::1]:80" and "host:80".
std::optional<HostAndPort> host_and_port(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) {
        return std::nullopt;
    }
    std::string_view host = text.substr(0, colon);
    if (host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    return HostAndPort{std::string(host), std::string(text.substr(colon + 1))};
}

/// What an agent may know of our environment: where programs and its own files are. Keys stand in
/// variables too, and go to nobody who was not given them.
std::vector<std::string> plain_environment() {
    std::vector<std::string> environment;
    for (const char* name : {"PATH", "HOME", "LANG", "TMPDIR"}) {
        if (const char* value = std::getenv(name)) {
            environment.push_back(std::string(name) + "=" + value);
        }
    }
    return environment;
}

struct Started {
    FileHandle socket;
    ChildProcess process;
};

Expected<Started> start(const std::vector<std::string>& command) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return tl::unexpected(errno_error("socketpair", command.front(), errno));
    }
    FileHandle ours(ends[0]);
    const FileHandle theirs(ends[1]);
    SpawnOptions options;
    // The third descriptor becomes the standard two; the shell also looks the program up in PATH.
    options.argv = {"/bin/sh", "-c", "exec \"$@\" <&3 >&3 3<&-", "sh"};
    options.argv.insert(options.argv.end(), command.begin(), command.end());
    options.environment = plain_environment();
    options.handles = {theirs.get()};
    ATOLL_TRY_ASSIGN(ChildProcess process, ChildProcess::spawn(options));
    return Started{std::move(ours), std::move(process)};
}

Expected<FileHandle> connect_to(int family, const sockaddr* address, socklen_t size,
                                const std::string& name) {
    FileHandle socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket || ::connect(socket.get(), address, size) != 0) {
        return tl::unexpected(errno_error("connect", name, errno));
    }
    return socket;
}

Expected<FileHandle> connect_to_path(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) {
        return failure(ErrorCode::invalid_argument, "the path of the socket is too long", path);
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return connect_to(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof(address), path);
}

Expected<FileHandle> connect_to_host(const HostAndPort& where) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int error = ::getaddrinfo(where.host.c_str(), where.port.c_str(), &wanted, &list);
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> found(list, [](addrinfo* all) {
        if (all != nullptr) {
            ::freeaddrinfo(all);
        }
    });
    if (error != 0) {
        return failure(ErrorCode::unavailable, ::gai_strerror(error), where.host);
    }
    Expected<FileHandle> socket = failure(ErrorCode::unavailable, "no address", where.host);
    for (const addrinfo* one = list; one != nullptr && !socket; one = one->ai_next) {
        socket = connect_to(one->ai_family, one->ai_addr, one->ai_addrlen, where.host);
    }
    return socket;
}

Expected<FileHandle> connect_to_address(const std::string& address) {
    if (address.starts_with(k_unix)) {
        return connect_to_path(address.substr(k_unix.size()));
    }
    return connect_to_host(*host_and_port(std::string_view(address).substr(k_tcp.size())));
}

}  // namespace

Status check_agent_address(const std::string& address) {
    const bool is_path = address.starts_with(k_unix) && address.size() > k_unix.size();
    const bool is_host =
        address.starts_with(k_tcp) && host_and_port(std::string_view(address).substr(k_tcp.size()));
    if (is_path || is_host) {
        return {};
    }
    return failure(ErrorCode::invalid_argument, "agent.address: \"" + address + "\" is no address",
                   {}, "write it as unix:PATH or tcp://HOST:PORT");
}

Expected<AgentPeer> AgentPeer::open(const AgentSettings& settings, int wake, Deadline) {
    FileHandle socket;
    std::optional<ChildProcess> process;
    if (settings.command.empty()) {
        ATOLL_TRY_ASSIGN(socket, connect_to_address(settings.address));
    } else {
        ATOLL_TRY_ASSIGN(Started started, start(settings.command));
        socket = std::move(started.socket);
        process = std::move(started.process);
    }
    if (::fcntl(socket.get(), F_SETFL, O_NONBLOCK) != 0) {
        return tl::unexpected(errno_error("fcntl", "agent", errno));
    }
    return AgentPeer(std::move(socket), std::move(process), wake);
}

AgentPeer::~AgentPeer() {
    kill_group();
}

// While the process is not reaped, no other group can have its number.
void AgentPeer::kill_group() {
    if (m_process && m_process->pid() > 0) {
        ::kill(-m_process->pid(), SIGKILL);
    }
}

std::optional<AgentPeer::End> AgentPeer::wait(short events, Deadline deadline) const {
    for (;;) {
        const auto left =
            std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd both[] = {{m_socket.get(), events, 0}, {m_wake, POLLIN, 0}};
        const int ready =
            ::poll(both, 2, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1 << 30)));
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (both[1].revents != 0) {
            return End::cancelled;
        }
        if (ready == 0) {
            return End::late;
        }
        return std::nullopt;
    }
}

std::optional<AgentPeer::End> AgentPeer::write_line(std::string_view text, Deadline deadline) {
    std::string line(text);
    line += '\n';
    std::string_view rest = line;
    while (!rest.empty()) {
        if (const auto end = wait(POLLOUT, deadline)) {
            return end;
        }
        const ssize_t sent = ::send(m_socket.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR && errno != EAGAIN) {
            return End::closed;
        }
        rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(0, sent)));
    }
    return std::nullopt;
}

tl::expected<std::string, AgentPeer::End> AgentPeer::read_line(Deadline deadline) {
    std::size_t looked_at = 0;
    for (;;) {
        const std::size_t end = m_read.find('\n', looked_at);
        if (end != std::string::npos) {
            std::string line = m_read.substr(0, end);
            m_read.erase(0, end + 1);
            return line;
        }
        looked_at = m_read.size();
        if (m_read.size() > k_max_agent_line_bytes || m_received > k_max_agent_bytes) {
            return tl::unexpected(End::limit);
        }
        if (const auto stopped = wait(POLLIN, deadline)) {
            return tl::unexpected(*stopped);
        }
        m_read.resize(looked_at + k_read_bytes);
        const ssize_t got = ::recv(m_socket.get(), m_read.data() + looked_at, k_read_bytes, 0);
        const int error = errno;
        m_read.resize(looked_at + static_cast<std::size_t>(std::max<ssize_t>(0, got)));
        if (got == 0 || (got < 0 && error != EINTR && error != EAGAIN)) {
            return tl::unexpected(End::closed);
        }
        m_received += static_cast<std::size_t>(std::max<ssize_t>(0, got));
    }
}

std::string AgentPeer::how_it_ended() {
    if (!m_process) {
        return "";
    }
    pollfd ended{m_process->pidfd(), POLLIN, 0};
    const bool by_itself = ::poll(&ended, 1, k_last_breath_ms) > 0;
    kill_group();
    const auto end = m_process->wait(milliseconds(-1));
    m_process.reset();
    return by_itself && end ? end->text() : "";
}

}  // namespace atl
