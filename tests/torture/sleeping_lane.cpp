#include "tests/torture/sleeping_lane.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <ctime>

namespace atl::torture {

namespace {

constexpr long k_job_ns = 1'000'000;

void sleep_until(timespec end) {
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr) != 0) {
    }
}

/// What a worker does, for ever. Forked from a program with threads, so system calls only.
[[noreturn]] void serve_orders(int channel, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_TIMERSLACK, 1UL);
    std::uint64_t number = 0;
    while (::getppid() == parent && ::recv(channel, &number, sizeof(number), 0) == sizeof(number)) {
        timespec end{};
        ::clock_gettime(CLOCK_MONOTONIC, &end);
        end.tv_nsec += k_job_ns;
        if (end.tv_nsec >= 1'000'000'000) {
            end.tv_nsec -= 1'000'000'000;
            ++end.tv_sec;
        }
        sleep_until(end);
        if (::send(channel, &number, sizeof(number), MSG_NOSIGNAL) < 0) {
            break;
        }
    }
    ::_exit(0);
}

tl::unexpected<Error> died() {
    return failure(ErrorCode::unavailable, "the worker died", "sleeping lane");
}

}  // namespace

Expected<CompileResult> EchoCompiler::compile(const CompileRequest& request) {
    CompileResult result;
    result.status = CompileResult::Status::ok;
    result.binary = FileHandle(::memfd_create("echo", MFD_CLOEXEC));
    if (::write(result.binary.get(), request.source.data(), request.source.size()) < 0) {
        return failure(ErrorCode::io, "write failed", "echo compiler");
    }
    return result;
}

Expected<EvaluateReply> SleepingLane::evaluate(const DeviceOrder& order) {
    std::array<char, 64> text{};
    if (::pread(order.binaries.front()->get(), text.data(), text.size() - 1, 0) < 3) {
        return failure(ErrorCode::invalid_argument, "no number", "sleeping lane");
    }
    const std::uint64_t number = std::strtoull(text.data() + 3, nullptr, 10);
    std::uint64_t answer = 0;
    const int channel = m_channel.get();
    if (::send(channel, &number, sizeof(number), MSG_NOSIGNAL) != sizeof(number) ||
        ::recv(channel, &answer, sizeof(answer), 0) != sizeof(answer)) {
        m_broken = true;
        return died();
    }
    EvaluateReply reply;
    reply.stage = Stage::verify;
    reply.reason = "candidate " + std::to_string(answer) + " slept";
    return reply;
}

Status SleepingLane::restart() {
    end_worker();
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return died();
    }
    FileHandle ours(ends[0]);
    const FileHandle theirs(ends[1]);
    const pid_t parent = ::getpid();
    const pid_t worker = ::fork();
    if (worker == 0) {
        ::close(ends[0]);  // else it would keep its own channel open
        serve_orders(theirs.get(), parent);
    }
    if (worker < 0) {
        return died();
    }
    const std::lock_guard lock(m_mutex);
    m_worker = worker;
    m_channel = std::move(ours);
    m_broken = false;
    ++m_restarts;
    return {};
}

bool SleepingLane::kill_worker() {
    const std::lock_guard lock(m_mutex);
    return m_worker > 0 && ::kill(m_worker, SIGKILL) == 0;
}

void SleepingLane::end_worker() {
    kill_worker();
    const std::lock_guard lock(m_mutex);
    if (m_worker > 0) {
        ::waitpid(m_worker, nullptr, 0);
    }
    m_worker = 0;
    m_channel.reset();
    m_broken = true;
}

}  // namespace atl::torture
