#include "reward/workers/run_zygote.hpp"

#include "reward/base/process.hpp"
#include "reward/workers/futex.hpp"
#include "reward/workers/run_control.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace atl {

namespace {

constexpr std::size_t k_max_runs = 64;

class ControlPage {
  public:
    ControlPage() = default;
    ~ControlPage() {
        if (m_control != nullptr) {
            ::munmap(m_control, k_run_control_bytes);
        }
    }
    ControlPage(const ControlPage&) = delete;
    ControlPage& operator=(const ControlPage&) = delete;

    [[nodiscard]] Status map(int fd) {
        void* page =
            ::mmap(nullptr, k_run_control_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (page == MAP_FAILED) {
            return tl::unexpected(errno_error("mmap", "control page", errno));
        }
        m_control = static_cast<RunControl*>(page);
        return {};
    }

    /// Wakes whoever waits for the candidate, which is dead.
    void announce_death() {
        if (m_control == nullptr) {
            return;
        }
        if (m_control->state.load() != k_run_load_failed) {
            m_control->state.store(k_run_ended);
        }
        m_control->reply.store(k_run_reply_dead);
        futex_wake(m_control->state);
        futex_wake(m_control->reply);
    }

    /// The name of the system call that the dead candidate's jail did not allow; empty when
    /// there is none or what the page says is no system call.
    [[nodiscard]] std::string refused_call() const {
        const std::uint32_t noted = m_control == nullptr ? 0 : m_control->refused_call.load();
        return noted == 0 ? "" : system_call_name(noted - 1);
    }

  private:
    RunControl* m_control = nullptr;
};

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

Status copy_file(int from, const std::string& path) {
    const FileHandle to(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0500));
    if (!to) {
        return tl::unexpected(errno_error("open", path, errno));
    }
    struct stat about {};
    if (::fstat(from, &about) != 0) {
        return tl::unexpected(errno_error("fstat", path, errno));
    }
    off_t done = 0;
    while (done < about.st_size) {
        const ssize_t step =
            ::sendfile(to.get(), from, &done, static_cast<std::size_t>(about.st_size - done));
        if (step <= 0) {
            return tl::unexpected(errno_error("sendfile", path, step == 0 ? EIO : errno));
        }
    }
    return {};
}

std::string read_all(int fd) {
    std::string text(4096, '\0');
    const ssize_t size = ::read(fd, text.data(), text.size());
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return text;
}

}  // namespace

struct RunZygote::Run {
    std::uint64_t request = 0;
    std::uint32_t generation = 0;
    pid_t pid = -1;
    FileHandle pidfd;
    FileHandle fault_pipe;  ///< says which fault of ours, if any
    ControlPage control;
    std::string binary_path;  ///< removed with the run

    ~Run() {
        if (pid > 0) {
            ::kill(pid, SIGKILL);  // ours and not reaped: the pid cannot be another's
            while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
            }
        }
        if (!binary_path.empty()) {
            ::unlink(binary_path.c_str());
        }
    }
};

RunZygote::RunZygote(FrameChannel peer, RunZygoteOptions options, std::uint64_t address_space_bytes)
    : m_peer(std::move(peer)),
      m_options(std::move(options)),
      m_address_space_bytes(address_space_bytes) {}

RunZygote::~RunZygote() = default;

int RunZygote::serve() {
    while (!m_peer_gone) {
        std::vector<pollfd> entries{{m_peer.fd(), POLLIN, 0},
                                    {m_options.lifeline, POLLIN, 0},
                                    {m_options.trusted ? m_options.trusted->fd() : -1, POLLIN, 0}};
        for (const auto& run : m_runs) {
            entries.push_back({run->pidfd.get(), POLLIN, 0});
        }
        if (::poll(entries.data(), entries.size(), -1) < 0) {
            continue;  // EINTR
        }
        // Ends first: handle_peer may add runs, which shifts nothing before them.
        constexpr std::size_t k_first_run = 3;
        for (std::size_t i = entries.size(); i-- > k_first_run;) {
            if (entries[i].revents != 0) {
                finish(*m_runs[i - k_first_run]);
                m_runs.erase(m_runs.begin() + static_cast<std::ptrdiff_t>(i - k_first_run));
            }
        }
        if (entries[2].revents != 0 && !handle_trusted()) {
            m_options.trusted.reset();
        }
        if (entries[1].revents != 0 || (entries[0].revents != 0 && !handle_peer())) {
            break;
        }
    }
    m_runs.clear();
    return 0;
}

bool RunZygote::handle_peer() {
    Expected<Frame> frame = m_peer.receive(std::chrono::milliseconds(0));
    if (!frame) {
        return frame.error().code == ErrorCode::timeout;
    }
    if (frame->type == FrameType::start_run) {
        start(std::move(*frame));
        return true;
    }
    if (frame->type != FrameType::stop) {
        reply(make_failed_frame(
            frame->request,
            {ErrorCode::invalid_argument, "a runner does not take this frame", "runner", ""}));
        return true;
    }
    return false;
}

bool RunZygote::handle_trusted() {
    Expected<Frame> frame = m_options.trusted->receive(std::chrono::milliseconds(0));
    if (frame) {
        if (frame->type != FrameType::run_started) {
            m_trusted_requests.erase(frame->request);
        }
        reply(*frame);
        return true;
    }
    if (frame.error().code == ErrorCode::timeout) {
        return true;
    }
    for (const std::uint64_t request : std::exchange(m_trusted_requests, {})) {
        reply(make_failed_frame(request, frame.error()));
    }
    return false;
}

void RunZygote::start(Frame frame) {
    const std::uint64_t request = frame.request;
    const std::uint32_t generation = frame.generation;
    Status started;
    if (Expected<StartRun> order = parse_start_run(frame.payload); !order) {
        started = tl::unexpected(order.error());
    } else if (order->trusted && m_options.filters) {
        started = start_trusted(frame);
    } else {
        started = start_here(frame, std::move(*order));
    }
    if (!started) {
        Frame failed = make_failed_frame(request, started.error());
        failed.generation = generation;
        reply(failed);
    }
}

Status RunZygote::start_trusted(Frame& frame) {
    if (!m_options.trusted) {
        return failure(ErrorCode::unavailable, "the process for trusted binaries died", "runner");
    }
    ATOLL_TRY(m_options.trusted->send(frame));
    m_trusted_requests.insert(frame.request);
    return {};
}

Status RunZygote::start_here(Frame& frame, StartRun order) {
    if (m_runs.size() >= k_max_runs) {
        return failure(ErrorCode::limit, "too many runs at once", "runner");
    }
    RunPlan plan;
    plan.order = std::move(order);
    plan.handles = std::move(frame.handles);
    plan.filters = m_options.filters ? &*m_options.filters : nullptr;
    plan.address_space_bytes = m_address_space_bytes;
    plan.max_processes = m_options.max_processes;
    ATOLL_TRY(check_run_plan(plan));
    auto run = std::make_unique<Run>();
    run->request = frame.request;
    run->generation = frame.generation;
    ATOLL_TRY(run->control.map(plan.handles[1].get()));
    ATOLL_TRY(place_binary(*run, plan));
    ATOLL_TRY(fork_run(*run, plan));
    Frame started;
    started.type = FrameType::run_started;
    started.request = run->request;
    started.generation = run->generation;
    started.handles.emplace_back(::fcntl(run->pidfd.get(), F_DUPFD_CLOEXEC, 0));
    m_runs.push_back(std::move(run));
    reply(started);
    return {};
}

Status RunZygote::place_binary(Run& run, RunPlan& plan) {
    if (m_options.binary_folder.empty()) {
        return {};
    }
    // A candidate may open files while it is loaded, but lists no folders: it must not guess where
    // its rivals are.
    std::uint64_t name = 0;
    if (::getrandom(&name, sizeof(name), 0) != static_cast<ssize_t>(sizeof(name))) {
        return tl::unexpected(errno_error("getrandom", "runner", errno));
    }
    run.binary_path = m_options.binary_folder + "/" + std::to_string(name) + ".so";
    plan.binary_path = run.binary_path;
    return copy_file(plan.handles[0].get(), run.binary_path);
}

Status RunZygote::fork_run(Run& run, const RunPlan& plan) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return tl::unexpected(errno_error("pipe", "runner", errno));
    }
    run.fault_pipe.reset(ends[0]);
    FileHandle child_end(ends[1]);
    const pid_t pid = ::fork();
    if (pid < 0) {
        return tl::unexpected(errno_error("fork", "runner", errno));
    }
    if (pid == 0) {
        run_candidate(plan, std::move(child_end));
    }
    run.pid = pid;
    ATOLL_TRY_ASSIGN(run.pidfd, open_pidfd(pid));
    return {};
}

void RunZygote::finish(Run& run) {
    int status = 0;
    rusage usage{};
    while (::wait4(run.pid, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    run.pid = -1;
    run.control.announce_death();
    const std::string fault = read_all(run.fault_pipe.get());
    Frame frame;
    if (fault.empty()) {
        const ProcessEnd end = decode_wait_status(status);
        RunEnded ended;
        ended.signalled = end.signalled;
        ended.status = end.status;
        ended.peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
        ended.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
        ended.refused_call = run.control.refused_call();
        frame.type = FrameType::run_ended;
        frame.request = run.request;
        frame.payload = to_json(ended);
    } else {
        frame = make_failed_frame(
            run.request,
            {ErrorCode::internal, "the run could not be set up: " + fault, "runner", ""});
    }
    frame.generation = run.generation;
    reply(frame);
}

void RunZygote::reply(const Frame& frame) {
    if (!m_peer.send(frame)) {
        m_peer_gone = true;
    }
}

}  // namespace atl
