#include "reward/verifier/candidate_run.hpp"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>
#include <utility>

namespace atl {

namespace {

constexpr std::int64_t k_second_ns = 1'000'000'000;
/// A launch that used less of its time limit than this share did not loop.
constexpr double k_least_cpu_share = 0.5;
constexpr std::size_t k_max_load_error = 512;

std::int64_t monotonic_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * k_second_ns + now.tv_nsec;
}

void futex_wake(std::atomic<std::uint32_t>& word) {
    syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

/// Sleeps while the word holds `value`, until the absolute monotonic time; may wake up early.
void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t value, std::int64_t deadline_ns) {
    const timespec until{deadline_ns / k_second_ns, deadline_ns % k_second_ns};
    syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, value, &until, nullptr, FUTEX_BITSET_MATCH_ANY);
}

}  // namespace

Expected<std::unique_ptr<CandidateRun>> CandidateRun::start(
    RunnerLink& runner, const FileHandle& binary, const SharedBuffers& buffers, StartRun message,
    std::chrono::nanoseconds launch_timeout) {
    ATOLL_TRY_ASSIGN(SharedMemory control, SharedMemory::create("control", k_run_control_bytes));
    std::vector<FileHandle> handles;
    const auto add = [&](const FileHandle& file) {
        handles.emplace_back(fcntl(file.get(), F_DUPFD_CLOEXEC, 0));
        return static_cast<bool>(handles.back());
    };
    bool added = add(binary) && add(control.file());
    message.mappings.clear();
    for (int slot = 0; slot < buffers.slots(); ++slot) {
        for (std::size_t tensor = 0; tensor < buffers.tensors(); ++tensor) {
            const SharedMemory& memory = buffers.memory(slot, tensor);
            message.mappings.push_back(
                {static_cast<std::uint32_t>(handles.size()), memory.bytes().size()});
            added = added && add(memory.file());
        }
    }
    if (!added) {
        return tl::unexpected(errno_error("fcntl(F_DUPFD_CLOEXEC)", "candidate's buffers", errno));
    }
    ATOLL_TRY_ASSIGN(RunnerLink::Started started, runner.start(message, std::move(handles)));
    return std::unique_ptr<CandidateRun>(new CandidateRun(
        runner, std::move(control), std::move(started), std::move(message), launch_timeout));
}

CandidateRun::CandidateRun(RunnerLink& runner, SharedMemory control, RunnerLink::Started started,
                           StartRun message, std::chrono::nanoseconds launch_timeout)
    : m_runner(runner),
      m_control(std::move(control)),
      m_started(std::move(started)),
      m_message(std::move(message)),
      m_launch_timeout(launch_timeout) {}

CandidateRun::~CandidateRun() {
    // Buffers are reused by the next candidate, so this one must be gone; a runner that does not
    // report it gets no further runs.
    static_cast<void>(end());
}

RunControl& CandidateRun::control() const {
    return *reinterpret_cast<RunControl*>(m_control.bytes().data());
}

std::uint32_t CandidateRun::next_command() {
    ++m_command;
    if (m_command == k_run_reply_dead) {
        m_command = 1;
    }
    return m_command;
}

void CandidateRun::signal(int number) const {
    syscall(SYS_pidfd_send_signal, m_started.process.get(), number, nullptr, 0);
}

bool CandidateRun::is_alive() const {
    pollfd process{m_started.process.get(), POLLIN, 0};
    return ::poll(&process, 1, 0) == 0;
}

void CandidateRun::suspend() {
    signal(SIGSTOP);
    m_stopped = true;
}

void CandidateRun::resume() {
    if (m_stopped) {
        signal(SIGCONT);
        m_stopped = false;
    }
}

bool CandidateRun::wait_for_reply(std::uint32_t command, std::int64_t deadline_ns) const {
    std::atomic<std::uint32_t>& reply = control().reply;
    while (true) {
        const std::uint32_t value = reply.load(std::memory_order_acquire);
        if (value == command) {
            return true;
        }
        const std::int64_t now = monotonic_ns();
        if (value == k_run_reply_dead || now >= deadline_ns) {
            return false;
        }
        // The runner wakes us when the process dies; waking up once a second all the same costs
        // nothing and forgives a lost wake-up.
        futex_wait(reply, value, std::min(deadline_ns, now + k_second_ns));
    }
}

Expected<CandidateRun::Launch> CandidateRun::load() {
    // Afterwards the candidate can write there.
    m_given_bytes = control().given_bytes.load(std::memory_order_acquire);
    m_loading = true;
    Expected<Launch> loaded = launch(k_launch_load);
    m_loading = false;
    return loaded;
}

Expected<CandidateRun::Launch> CandidateRun::launch(std::uint32_t index) {
    if (m_dead) {
        return Launch{false, m_fault, {}};
    }
    const std::uint32_t command = next_command();
    RunControl& page = control();
    page.launch = index;
    page.command.store(command, std::memory_order_release);
    // Before the process may run: threads that it left would compute outside of the clock.
    const std::int64_t start = monotonic_ns();
    resume();
    futex_wake(page.command);
    const bool answered = wait_for_reply(command, start + m_launch_timeout.count());
    const std::int64_t end = monotonic_ns();
    suspend();
    if (answered) {
        return Launch{true, {}, std::chrono::nanoseconds(end - start)};
    }
    return end_in_fault();
}

Expected<std::optional<std::uint64_t>> CandidateRun::end() {
    if (m_dead) {
        return std::nullopt;
    }
    m_dead = true;
    m_fault = {Outcome::crash, "was ended"};
    signal(SIGKILL);
    ATOLL_TRY_ASSIGN(const RunEnded ended, m_runner.wait_ended(m_started.request));
    if (m_given_bytes == 0) {
        return std::nullopt;
    }
    return ended.peak_rss_bytes - std::min(ended.peak_rss_bytes, m_given_bytes);
}

Expected<CandidateRun::Launch> CandidateRun::end_in_fault() {
    m_dead = true;
    const bool says_dead = control().reply.load(std::memory_order_acquire) == k_run_reply_dead;
    // After the page, which a runner writes when the process is gone, and by the kernel's word: a
    // candidate may write there, too, and a runner that was stopped reports late.
    const bool alive = is_alive();
    if (alive) {
        signal(SIGKILL);
    }
    ATOLL_TRY_ASSIGN(const RunEnded ended, m_runner.wait_ended(m_started.request));
    if (alive && says_dead) {
        m_fault = {Outcome::crash, "overwrote the page that controls its run"};
    } else if (m_loading && control().state.load(std::memory_order_acquire) == k_run_load_failed) {
        // Not in a launch: there the candidate could bring hidden shapes out in such a text.
        m_fault = {Outcome::launch_error, "could not be loaded: " + load_error()};
    } else {
        m_fault = fault_of_death(ended, alive, m_message);
        if (m_fault.outcome == Outcome::timeout && alive) {
            const double limit = std::chrono::duration<double>(m_launch_timeout).count();
            m_fault.reason = "a launch did not return within " + seconds_text(limit);
            // It slept, or something kept it from running: a stopped or overloaded machine.
            m_fault.unexplained = ended.cpu_seconds < k_least_cpu_share * limit;
        }
    }
    return Launch{false, m_fault, {}};
}

std::string CandidateRun::load_error() const {
    const auto page = m_control.bytes();
    std::string text;
    for (std::size_t i = k_run_text_offset; i < page.size() && text.size() < k_max_load_error;
         ++i) {
        const char c = static_cast<char>(page[i]);
        if (c == '\0') {
            break;
        }
        text += c >= ' ' && c <= '~' ? c : '?';
    }
    return text.empty() ? "no reason given" : text;
}

}  // namespace atl
