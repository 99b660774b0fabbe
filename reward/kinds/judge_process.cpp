#include "reward/kinds/judge_process.hpp"

#include "reward/base/files.hpp"
#include "reward/base/process.hpp"
#include "reward/kinds/judge_keeper.hpp"
#include "reward/kinds/judge_strays.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <optional>
#include <thread>

namespace atl {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t k_error_tail_bytes = 8 << 10;
constexpr int k_poll_ms = 10;
/// For what is in the pipes when the judge has ended; who writes on is none of the judge.
constexpr std::chrono::seconds k_flush_time{1};
/// Longer than a keeper takes to kill what it can.
constexpr int k_keeper_patience_ms = 10'000;
/// One of our polls that took this much longer than it should have: we were stopped.
constexpr std::chrono::seconds k_pause{1};

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

/// Our ends of what joins us to a judge and its keeper; all of them end with this object.
class KeptJudge {
  public:
    static Expected<KeptJudge> start(const JudgeCommand& command);
    KeptJudge(KeptJudge&& other) noexcept
        : m_output(std::move(other.m_output)),
          m_error(std::move(other.m_error)),
          m_report(std::move(other.m_report)),
          m_life_line(std::move(other.m_life_line)),
          m_keeper(std::exchange(other.m_keeper, -1)) {}
    KeptJudge& operator=(KeptJudge&&) = delete;
    ~KeptJudge() { static_cast<void>(end()); }

    /// Ends the judge if it is still running; nullopt when its keeper was killed.
    std::optional<KeeperReport> end() {
        if (m_keeper < 0) {
            return std::nullopt;
        }
        m_life_line.reset();
        KeeperReport report;
        pollfd entry{m_report.get(), POLLIN, 0};
        while (::poll(&entry, 1, k_keeper_patience_ms) < 0 && errno == EINTR) {
        }
        const bool told = (entry.revents & POLLIN) != 0 &&
                          ::read(m_report.get(), &report, sizeof(report)) == sizeof(report);
        ::kill(m_keeper, SIGKILL);  // stopped, or ending anyway
        while (::waitpid(m_keeper, nullptr, 0) < 0 && errno == EINTR) {
        }
        m_keeper = -1;
        return told ? std::optional(report) : std::nullopt;
    }
    [[nodiscard]] int output() const { return m_output.get(); }
    [[nodiscard]] int error() const { return m_error.get(); }
    [[nodiscard]] int report() const { return m_report.get(); }

  private:
    KeptJudge(FileHandle output, FileHandle error, FileHandle report, FileHandle life_line,
              pid_t keeper)
        : m_output(std::move(output)),
          m_error(std::move(error)),
          m_report(std::move(report)),
          m_life_line(std::move(life_line)),
          m_keeper(keeper) {}

    FileHandle m_output;
    FileHandle m_error;
    FileHandle m_report;
    FileHandle m_life_line;
    pid_t m_keeper;
};

Expected<KeptJudge> KeptJudge::start(const JudgeCommand& command) {
    ATOLL_TRY_ASSIGN(Pipe output, make_pipe());
    ATOLL_TRY_ASSIGN(Pipe error, make_pipe());
    ATOLL_TRY_ASSIGN(Pipe report, make_pipe());
    ATOLL_TRY_ASSIGN(Pipe life_line, make_pipe());
    const FileHandle input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    JudgePlan plan;
    plan.argv = c_strings(command.argv);
    plan.environment = c_strings(command.environment);
    plan.folder = command.folder.c_str();
    plan.input = input.get();
    plan.output = output.writer.get();
    plan.error = error.writer.get();
    plan.report = report.writer.get();
    plan.life_line = life_line.reader.get();
    plan.memory_bytes = command.memory_bytes;
    // A judge may use every core; the limit stops what runs on after the wall clock was fooled.
    const double cores = std::max(1u, std::thread::hardware_concurrency());
    plan.cpu_seconds = static_cast<std::uint64_t>(std::ceil(command.timeout_s * cores)) + 1;
    const pid_t keeper = fork_without_signals();
    if (keeper < 0) {
        return tl::unexpected(errno_error("fork", command.argv[0], errno));
    }
    if (keeper == 0) {
        keep_judge(plan);
    }
    ::fcntl(output.reader.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(error.reader.get(), F_SETFL, O_NONBLOCK);
    return KeptJudge(std::move(output.reader), std::move(error.reader), std::move(report.reader),
                     std::move(life_line.writer), keeper);
}

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

/// Collects output until the judge ends, breaks a limit, or nobody wants it any more.
void watch(const JudgeCommand& command, const KeptJudge& judge, JudgeRun& run) {
    SteadyClock::time_point last = SteadyClock::now();
    SteadyClock::time_point deadline = last + std::chrono::duration_cast<SteadyClock::duration>(
                                                  std::chrono::duration<double>(command.timeout_s));
    SteadyClock::time_point flushed;
    bool output_open = true;
    bool error_open = true;
    for (bool ended = false;;) {
        // Once the judge has ended, what is in the pipes now is all that counts.
        std::array<pollfd, 3> entries = {{{output_open ? judge.output() : -1, POLLIN, 0},
                                          {error_open ? judge.error() : -1, POLLIN, 0},
                                          {ended ? -1 : judge.report(), POLLIN, 0}}};
        const int ready = ::poll(entries.data(), entries.size(), ended ? 0 : k_poll_ms);
        if (ready > 0 && entries[0].revents != 0) {
            output_open = read_some(judge.output(), run.output);
        }
        if (ready > 0 && entries[1].revents != 0) {
            error_open = read_some(judge.error(), run.error_tail);
            keep_tail(run.error_tail);
        }
        if (run.output.size() > command.output_bytes) {
            run.end = JudgeRun::End::too_much_output;
            return;
        }
        if (command.on_output && ready > 0 && entries[0].revents != 0) {
            command.on_output(run.output);
        }
        if (ended && (ready <= 0 || SteadyClock::now() >= flushed)) {
            return;
        }
        if (!ended && ready > 0 && entries[2].revents != 0) {
            ended = true;
            flushed = SteadyClock::now() + k_flush_time;
        }
        if (!ended && command.cancel.stop_requested()) {
            run.end = JudgeRun::End::cancelled;
            return;
        }
        // Whoever stopped us may have stopped the judge as well: that is no time of its own.
        const SteadyClock::time_point now = SteadyClock::now();
        deadline += now - last > k_pause ? now - last : SteadyClock::duration{0};
        last = now;
        if (!ended && now >= deadline) {
            run.end = JudgeRun::End::timeout;
            return;
        }
    }
}

}  // namespace

Expected<JudgeRun> run_judge(const JudgeCommand& command) {
    const SteadyClock::time_point start = SteadyClock::now();
    ATOLL_TRY_ASSIGN(KeptJudge judge, KeptJudge::start(command));
    JudgeRun run;
    watch(command, judge, run);
    const std::optional<KeeperReport> report = judge.end();
    if (report && report->exec_errno != 0) {
        return tl::unexpected(
            errno_error("cannot start the judge: execve", command.argv[0], report->exec_errno));
    }
    run.seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
    if (!report) {
        kill_judge_strays(command.folder);  // its keeper was killed, and the judge with it
    }
    const ProcessEnd end =
        report ? decode_wait_status(report->wait_status) : ProcessEnd{true, SIGKILL};
    run.status = end.status;
    if (run.end == JudgeRun::End::exited && end.signalled) {
        run.end = end.status == SIGXCPU ? JudgeRun::End::timeout : JudgeRun::End::killed;
    }
    return run;
}

}  // namespace atl
