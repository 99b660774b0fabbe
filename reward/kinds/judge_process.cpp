#include "reward/kinds/judge_process.hpp"

#include "reward/base/files.hpp"
#include "reward/base/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <thread>

namespace atl {

namespace {

constexpr std::size_t k_error_tail_bytes = 8 << 10;

struct Pipe {
    FileHandle reader;
    FileHandle writer;
};

Expected<Pipe> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return tl::unexpected(errno_error("pipe2", "judge", errno));
    }
    return Pipe{FileHandle(ends[0]), FileHandle(ends[1])};
}

std::vector<char*> c_strings(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (const std::string& text : texts) {
        pointers.push_back(const_cast<char*>(text.c_str()));
    }
    pointers.push_back(nullptr);
    return pointers;
}

void limit(int resource, std::uint64_t value) {
    const rlimit both{value, value};
    ::setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

/// Everything the child needs, prepared before fork(): afterwards only async-signal-safe calls
/// are allowed, because other threads of this process may hold any lock.
struct ChildPlan {
    std::vector<char*> argv;
    std::vector<char*> environment;
    const char* folder = nullptr;
    int input = -1;
    int output = -1;
    int error = -1;
    int report = -1;  ///< errno of a failed exec goes here
    std::uint64_t cpu_seconds = 0;
    std::uint64_t memory_bytes = 0;
    pid_t parent = 0;
};

[[noreturn]] void become_judge(const ChildPlan& plan) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, plan.cpu_seconds);
    limit(RLIMIT_AS, plan.memory_bytes);
    limit(RLIMIT_FSIZE, plan.memory_bytes);
    const bool placed = ::getppid() == plan.parent && ::chdir(plan.folder) == 0 &&
                        ::dup2(plan.input, 0) == 0 && ::dup2(plan.output, 1) == 1 &&
                        ::dup2(plan.error, 2) == 2;
    if (placed) {
        ::execve(plan.argv[0], plan.argv.data(), plan.environment.data());
    }
    const int reason = errno;
    const ssize_t ignored = ::write(plan.report, &reason, sizeof(reason));
    static_cast<void>(ignored);
    ::_exit(127);
}

/// The running judge; its whole group dies with this object.
class Group {
  public:
    explicit Group(pid_t leader) : m_leader(leader) {}
    ~Group() {
        kill_all();
        if (!m_reaped) {
            int status = 0;
            while (::waitpid(m_leader, &status, 0) < 0 && errno == EINTR) {
            }
        }
    }
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;

    /// The leader is not reaped before the last call, so its group id cannot be another's.
    void kill_all() const {
        if (!m_reaped) {
            ::kill(-m_leader, SIGKILL);
        }
    }
    [[nodiscard]] bool has_ended() const {
        siginfo_t info{};
        return ::waitid(P_PID, static_cast<id_t>(m_leader), &info, WEXITED | WNOHANG | WNOWAIT) ==
                   0 &&
               info.si_pid == m_leader;
    }
    ProcessEnd reap() {
        kill_all();
        int status = 0;
        while (::waitpid(m_leader, &status, 0) < 0 && errno == EINTR) {
        }
        m_reaped = true;
        return decode_wait_status(status);
    }

  private:
    pid_t m_leader;
    bool m_reaped = false;
};

/// Reads what is there; false at the end of the stream.
bool read_some(int fd, std::string& text) {
    std::array<char, 65536> buffer;
    const ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size > 0) {
        text.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return size > 0 || (size < 0 && (errno == EINTR || errno == EAGAIN));
}

void keep_tail(std::string& text) {
    if (text.size() > k_error_tail_bytes) {
        text.erase(0, text.size() - k_error_tail_bytes);
    }
}

/// Collects output until the judge ends or breaks a limit.
void watch(const JudgeCommand& command, const Group& group, FileHandle output, FileHandle error,
           JudgeRun& run) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point deadline =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(
                           std::chrono::duration<double>(command.timeout_s));
    ::fcntl(output.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(error.get(), F_SETFL, O_NONBLOCK);
    bool output_open = true;
    bool error_open = true;
    for (bool ended = false;;) {
        // Something that the judge left behind may hold the pipes open: once the judge has ended,
        // what is in the pipes now is all that counts.
        std::array<pollfd, 2> entries = {{{output_open ? output.get() : -1, POLLIN, 0},
                                          {error_open ? error.get() : -1, POLLIN, 0}}};
        const int ready = ::poll(entries.data(), entries.size(), ended ? 0 : 10);
        if (ready > 0 && entries[0].revents != 0) {
            output_open = read_some(output.get(), run.output);
        }
        if (ready > 0 && entries[1].revents != 0) {
            error_open = read_some(error.get(), run.error_tail);
            keep_tail(run.error_tail);
        }
        if (run.output.size() > command.output_bytes) {
            run.end = JudgeRun::End::too_much_output;
            return;
        }
        if (ended && ready <= 0) {
            return;
        }
        ended = ended || group.has_ended();
        if (!ended && Clock::now() >= deadline) {
            run.end = JudgeRun::End::timeout;
            return;
        }
    }
}

}  // namespace

Expected<JudgeRun> run_judge(const JudgeCommand& command) {
    ATOLL_TRY_ASSIGN(Pipe output, make_pipe());
    ATOLL_TRY_ASSIGN(Pipe error, make_pipe());
    ATOLL_TRY_ASSIGN(Pipe report, make_pipe());
    const FileHandle input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    ChildPlan plan;
    plan.argv = c_strings(command.argv);
    plan.environment = c_strings(command.environment);
    plan.folder = command.folder.c_str();
    plan.input = input.get();
    plan.output = output.writer.get();
    plan.error = error.writer.get();
    plan.report = report.writer.get();
    plan.memory_bytes = command.memory_bytes;
    plan.parent = ::getpid();
    // A judge may use every core; the limit stops what runs on after the wall clock was fooled.
    const double cores = std::max(1u, std::thread::hardware_concurrency());
    plan.cpu_seconds = static_cast<std::uint64_t>(std::ceil(command.timeout_s * cores)) + 1;

    const auto start = std::chrono::steady_clock::now();
    const pid_t pid = ::fork();
    if (pid < 0) {
        return tl::unexpected(errno_error("fork", command.argv[0], errno));
    }
    if (pid == 0) {
        become_judge(plan);
    }
    ::setpgid(pid, pid);  // both sides set it: whoever comes first
    Group group(pid);
    output.writer.reset();
    error.writer.reset();
    report.writer.reset();
    int reason = 0;
    if (::read(report.reader.get(), &reason, sizeof(reason)) == sizeof(reason)) {
        return tl::unexpected(
            errno_error("cannot start the judge: execve", command.argv[0], reason));
    }
    JudgeRun run;
    watch(command, group, std::move(output.reader), std::move(error.reader), run);
    const ProcessEnd end = group.reap();
    run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    run.status = end.status;
    if (run.end == JudgeRun::End::exited && end.signalled) {
        run.end = end.status == SIGXCPU ? JudgeRun::End::timeout : JudgeRun::End::killed;
    }
    return run;
}

}  // namespace atl
