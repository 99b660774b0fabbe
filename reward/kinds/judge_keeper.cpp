#include "reward/kinds/judge_keeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>

namespace atl {

namespace {

constexpr int k_parking_fd = 100;
constexpr int k_report_fd = 3;
constexpr int k_life_line_fd = 4;
/// Killing what a judge started takes one round per generation of processes; something that forks
/// faster than it is killed must not hold the evaluator up for ever.
constexpr int k_kill_rounds = 5000;
constexpr timespec k_kill_pause{0, 1'000'000};

void limit(int resource, std::uint64_t value) {
    const rlimit both{value, value};
    ::setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

/// Gives the handles their places and closes all others: those of concurrent judges too, whose
/// life lines must end with their evaluator.
bool place_handles(const JudgePlan& plan) {
    const std::array<int, 5> wanted{plan.input, plan.output, plan.error, plan.report,
                                    plan.life_line};
    std::array<int, 5> parked{};
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        parked[i] = ::fcntl(wanted[i], F_DUPFD_CLOEXEC, k_parking_fd);
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        // The standard three go to the judge.
        if (::dup3(parked[i], static_cast<int>(i), i < k_report_fd ? 0 : O_CLOEXEC) < 0) {
            return false;
        }
    }
    return ::close_range(k_life_line_fd + 1, ~0u, 0) == 0;
}

[[noreturn]] void become_judge(const JudgePlan& plan, pid_t keeper, int exec_report) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const int signal : {SIGPIPE, SIGXFSZ, SIGINT, SIGTERM, SIGHUP}) {
        ::signal(signal, SIG_DFL);
    }
    limit(RLIMIT_CORE, 0);
    // SIGXCPU tells what it was; the kernel sends SIGKILL at the hard limit.
    const rlimit cpu{plan.cpu_seconds, plan.cpu_seconds + 1};
    ::setrlimit(RLIMIT_CPU, &cpu);
    limit(RLIMIT_AS, plan.memory_bytes);
    limit(RLIMIT_FSIZE, plan.memory_bytes);
    if (::getppid() == keeper && ::chdir(plan.folder) == 0) {
        ::execve(plan.argv[0], plan.argv.data(), plan.environment.data());
    }
    const int reason = errno;
    const ssize_t ignored = ::write(exec_report, &reason, sizeof(reason));
    static_cast<void>(ignored);
    ::_exit(127);
}

/// Sends SIGKILL to every child; they are not reaped meanwhile, so no id can be another's.
void kill_children() {
    const int list = ::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    std::array<char, 4096> text;
    const ssize_t size = ::read(list, text.data(), text.size());
    ::close(list);
    pid_t pid = 0;
    // A number that the buffer cuts off ends without a space and is left to the next round.
    for (ssize_t i = 0; i < size; ++i) {
        const char c = text[static_cast<std::size_t>(i)];
        if (c >= '0' && c <= '9') {
            pid = pid * 10 + (c - '0');
        } else if (pid > 0) {
            ::kill(pid, SIGKILL);
            pid = 0;
        }
    }
}

/// Kills until nothing is left; the judge's own end goes into `report`.
void end_all(pid_t judge, KeeperReport& report) {
    // Where the kernel does not list children, its group is what can be reached.
    ::kill(-judge, SIGKILL);
    for (int round = 0; round < k_kill_rounds; ++round) {
        kill_children();
        int status = 0;
        pid_t ended = 0;
        while ((ended = ::waitpid(-1, &status, WNOHANG)) > 0) {
            report.wait_status = ended == judge ? status : report.wait_status;
        }
        if (ended < 0 && errno == ECHILD) {
            return;
        }
        ::nanosleep(&k_kill_pause, nullptr);
    }
}

void wait_for_end(pid_t judge) {
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, judge, 0));
    std::array<pollfd, 2> entries = {{{handle, POLLIN, 0}, {k_life_line_fd, POLLIN, 0}}};
    while (::poll(entries.data(), entries.size(), -1) < 0 && errno == EINTR) {
    }
}

}  // namespace

void keep_judge(const JudgePlan& plan) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) {
        ::signal(signal, SIG_IGN);
    }
    KeeperReport report;
    int exec_report[2];
    if (!place_handles(plan) || ::pipe2(exec_report, O_CLOEXEC) != 0) {
        ::_exit(1);
    }
    const pid_t keeper = ::getpid();
    const pid_t judge = ::_Fork();
    if (judge == 0) {
        become_judge(plan, keeper, exec_report[1]);
    }
    ::close(exec_report[1]);
    for (int stream = 0; stream < k_report_fd; ++stream) {
        ::close(stream);  // so that our reader sees the end of what the judge writes
    }
    if (judge < 0) {
        report.exec_errno = errno;
    } else {
        const ssize_t told = ::read(exec_report[0], &report.exec_errno, sizeof(int));
        static_cast<void>(told);
        wait_for_end(judge);
        end_all(judge, report);
    }
    const ssize_t ignored = ::write(k_report_fd, &report, sizeof(report));
    static_cast<void>(ignored);
    ::_exit(0);
}

}  // namespace atl
