#include "reward/base/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace atl {

namespace {

/// posix_spawn's file actions, owned.
class FileActions {
  public:
    FileActions() { ::posix_spawn_file_actions_init(&m_actions); }
    ~FileActions() { ::posix_spawn_file_actions_destroy(&m_actions); }
    FileActions(const FileActions&) = delete;
    FileActions& operator=(const FileActions&) = delete;
    posix_spawn_file_actions_t* get() { return &m_actions; }

  private:
    posix_spawn_file_actions_t m_actions{};
};

/// A clean signal state: the parent may block or ignore signals that the program relies on.
class SpawnAttributes {
  public:
    SpawnAttributes() {
        ::posix_spawnattr_init(&m_attributes);
        sigset_t signals;
        sigemptyset(&signals);
        ::posix_spawnattr_setsigmask(&m_attributes, &signals);
        sigfillset(&signals);
        ::posix_spawnattr_setsigdefault(&m_attributes, &signals);
        // A group of its own: Ctrl-C in a terminal reaches only us, and we say when workers stop.
        ::posix_spawnattr_setpgroup(&m_attributes, 0);
        ::posix_spawnattr_setflags(
            &m_attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    ~SpawnAttributes() { ::posix_spawnattr_destroy(&m_attributes); }
    SpawnAttributes(const SpawnAttributes&) = delete;
    SpawnAttributes& operator=(const SpawnAttributes&) = delete;
    posix_spawnattr_t* get() { return &m_attributes; }

  private:
    posix_spawnattr_t m_attributes{};
};

std::vector<char*> c_strings(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (const std::string& text : texts) {
        pointers.push_back(const_cast<char*>(text.c_str()));
    }
    pointers.push_back(nullptr);
    return pointers;
}

constexpr int k_first_handle = 3;
/// Handles are moved above this first, so that placing one cannot overwrite another.
constexpr int k_parking_fd = 100;

}  // namespace

std::string ProcessEnd::text() const {
    if (!signalled) {
        return "exit status " + std::to_string(status);
    }
    return "killed by signal " + std::to_string(status) + " (" + ::strsignal(status) + ")";
}

ProcessEnd decode_wait_status(int status) {
    if (WIFSIGNALED(status)) {
        return {true, WTERMSIG(status)};
    }
    return {false, WEXITSTATUS(status)};
}

Expected<FileHandle> open_pidfd(pid_t pid) {
    const long fd = ::syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) {
        return tl::unexpected(errno_error("pidfd_open", std::to_string(pid), errno));
    }
    return FileHandle(static_cast<int>(fd));
}

void kill_through(int pidfd) {
    ::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : m_pid(std::exchange(other.m_pid, -1)),
      m_pidfd(std::move(other.m_pidfd)),
      m_end(std::exchange(other.m_end, std::nullopt)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
    if (this != &other) {
        kill_and_reap();
        m_pid = std::exchange(other.m_pid, -1);
        m_pidfd = std::move(other.m_pidfd);
        m_end = std::exchange(other.m_end, std::nullopt);
    }
    return *this;
}

ChildProcess::~ChildProcess() {
    kill_and_reap();
}

Expected<ChildProcess> ChildProcess::spawn(const SpawnOptions& options) {
    FileActions actions;
    ::posix_spawn_file_actions_addopen(actions.get(), 0, "/dev/null", O_RDONLY, 0);
    if (options.output >= 0) {
        ::posix_spawn_file_actions_adddup2(actions.get(), options.output, 1);
        ::posix_spawn_file_actions_adddup2(actions.get(), options.output, 2);
    }
    std::vector<FileHandle> parked;
    for (const int handle : options.handles) {
        const int fd = ::fcntl(handle, F_DUPFD_CLOEXEC, k_parking_fd);
        if (fd < 0) {
            // EINVAL: the limit on open files is below the parking place.
            const int why = errno == EINVAL ? EMFILE : errno;
            return tl::unexpected(errno_error("fcntl", options.argv.at(0), why));
        }
        const int place = k_first_handle + static_cast<int>(parked.size());
        parked.emplace_back(fd);
        ::posix_spawn_file_actions_adddup2(actions.get(), fd, place);
    }
    ::posix_spawn_file_actions_addclosefrom_np(actions.get(),
                                               k_first_handle + static_cast<int>(parked.size()));
    SpawnAttributes attributes;
    std::vector<char*> argv = c_strings(options.argv);
    std::vector<char*> environment = c_strings(options.environment);
    ChildProcess child;
    const int error = ::posix_spawn(&child.m_pid, options.argv.at(0).c_str(), actions.get(),
                                    attributes.get(), argv.data(), environment.data());
    if (error != 0) {
        child.m_pid = -1;
        return tl::unexpected(errno_error("posix_spawn", options.argv[0], error));
    }
    ATOLL_TRY_ASSIGN(child.m_pidfd, open_pidfd(child.m_pid));
    return child;
}

void ChildProcess::kill() {
    if (m_pid > 0 && !m_end) {
        ::kill(m_pid, SIGKILL);  // ours and not reaped: the pid cannot be another's
    }
}

std::optional<ProcessEnd> ChildProcess::wait(std::chrono::milliseconds wait) {
    if (m_end || m_pid <= 0) {
        return m_end;
    }
    const auto until = std::chrono::steady_clock::now() + wait;
    while (true) {
        int timeout_ms = -1;
        if (wait.count() >= 0) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                until - std::chrono::steady_clock::now());
            timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1 << 30));
        }
        pollfd entry{m_pidfd.get(), POLLIN, 0};
        const int ready = ::poll(&entry, 1, timeout_ms);
        if (ready == 0 && timeout_ms == 0) {
            return std::nullopt;
        }
        int status = 0;
        if (ready > 0) {
            const pid_t reaped = ::waitpid(m_pid, &status, 0);
            if (reaped < 0 && errno == EINTR) {
                continue;
            }
            // Where somebody else reaped it, nobody knows how it ended: that is no success.
            m_end = reaped == m_pid ? decode_wait_status(status) : ProcessEnd{true, SIGKILL};
            return m_end;
        }
    }
}

void ChildProcess::kill_and_reap() {
    if (m_pid > 0 && !m_end) {
        kill();
        int status = 0;
        while (::waitpid(m_pid, &status, 0) < 0 && errno == EINTR) {
        }
    }
    m_pid = -1;
    m_pidfd.reset();
    m_end.reset();
}

Status pin_to_cores(const std::vector<int>& cores) {
    if (cores.empty()) {
        return {};
    }
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int core : cores) {
        if (core < 0 || core >= CPU_SETSIZE) {
            return failure(ErrorCode::invalid_argument, "no core " + std::to_string(core));
        }
        CPU_SET(static_cast<std::size_t>(core), &set);
    }
    if (::sched_setaffinity(0, sizeof(set), &set) != 0) {
        return tl::unexpected(
            errno_error("sched_setaffinity", "core " + std::to_string(cores[0]), errno));
    }
    return {};
}

pid_t fork_without_signals() {
    sigset_t ending;
    sigset_t before;
    sigemptyset(&ending);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        sigaddset(&ending, signal);
    }
    ::pthread_sigmask(SIG_BLOCK, &ending, &before);
    const pid_t pid = ::fork();
    if (pid != 0) {
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    return pid;
}

}  // namespace atl
