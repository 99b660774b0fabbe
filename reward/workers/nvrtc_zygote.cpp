#include "reward/workers/nvrtc_zygote.hpp"

#include "reward/workers/job_deadlines.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

namespace atl {

namespace {

constexpr std::size_t k_max_jobs = 64;
constexpr int k_seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

using Clock = std::chrono::steady_clock;

Expected<FileHandle> make_memory_file(const char* name) {
    FileHandle file(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file) {
        return tl::unexpected(errno_error("memfd_create", "NVRTC", errno));
    }
    return file;
}

FileHandle duplicate(const FileHandle& file) {
    return FileHandle(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0));
}

std::uint64_t size_of(const FileHandle& file) {
    struct stat about {};
    return ::fstat(file.get(), &about) == 0 ? static_cast<std::uint64_t>(about.st_size) : 0;
}

bool seal(const FileHandle& file) {
    return ::fcntl(file.get(), F_ADD_SEALS, k_seals) == 0;
}

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

/// Why a child died, and whether that means that something ran out.
std::pair<NvrtcReply::Status, std::string> cause_of(int signal) {
    using Status = NvrtcReply::Status;
    switch (signal) {
        case SIGXCPU:
        case SIGKILL:
            return {Status::limit, "the compiler used up its CPU time or the machine's memory"};
        case SIGABRT:
            return {Status::limit, "the compiler gave up (abort), as it does without memory"};
        case SIGXFSZ:
            return {Status::limit, "the compiler wrote more than it may"};
        default:
            return {Status::error,
                    "the compiler crashed on this source: " + ProcessEnd{true, signal}.text()};
    }
}

}  // namespace

struct NvrtcZygote::Job {
    std::uint64_t request = 0;
    std::uint32_t generation = 0;
    NvrtcOrder order;
    pid_t pid = -1;
    FileHandle pidfd;
    FileHandle log;
    FileHandle cubin;
    FileHandle names;
    FileHandle confined;
    Clock::time_point begin;
    Clock::time_point deadline;
    bool overdue = false;
    double cpu_seconds = 0;  ///< once reaped
    std::string own_folder;  ///< removed with the job; empty at level full

    ~Job() {
        kill();
        (void)reap();
        if (!own_folder.empty()) {
            std::error_code ignored;
            std::filesystem::remove_all(own_folder, ignored);
        }
    }
    /// A child cannot start another, so this ends all of it.
    void kill() const {
        if (pid > 0) {
            ::kill(pid, SIGKILL);
        }
    }
    [[nodiscard]] ProcessEnd reap() {
        int status = 0;
        rusage usage{};
        while (pid > 0 && ::wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
        }
        pid = -1;
        cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
        return decode_wait_status(status);
    }
    [[nodiscard]] bool was_confined() const {
        char byte = 0;
        return ::read(confined.get(), &byte, 1) == 1;
    }
};

NvrtcZygote::NvrtcZygote(FrameChannel supervisor, NvrtcZygoteOptions options)
    : m_supervisor(std::move(supervisor)),
      m_options(std::move(options)),
      m_toolchain(fmt::format("NVRTC {}.{}", m_options.warm.library.major(),
                              m_options.warm.library.minor())) {}

NvrtcZygote::~NvrtcZygote() = default;

int NvrtcZygote::serve() {
    while (!m_supervisor_gone) {
        std::vector<pollfd> entries{{m_supervisor.fd(), POLLIN, 0}};
        for (const auto& job : m_jobs) {
            entries.push_back({job->pidfd.get(), POLLIN, 0});
        }
        const int timeout_ms = poll_timeout_ms(m_jobs);
        const Clock::time_point before = Clock::now();
        const bool interrupted = ::poll(entries.data(), entries.size(), timeout_ms) < 0;
        if (timeout_ms >= 0) {
            forgive_pause(m_jobs, Clock::now() - before - std::chrono::milliseconds(timeout_ms));
        }
        if (interrupted) {
            continue;  // EINTR
        }
        for (std::size_t i = m_jobs.size(); i-- > 0;) {
            if (entries[1 + i].revents != 0) {
                finish(*m_jobs[i]);
                m_jobs.erase(m_jobs.begin() + static_cast<std::ptrdiff_t>(i));
            }
        }
        kill_overdue(m_jobs);
        if (entries[0].revents != 0 && !handle_supervisor()) {
            break;
        }
    }
    m_jobs.clear();
    return 0;
}

bool NvrtcZygote::handle_supervisor() {
    Expected<Frame> frame = m_supervisor.receive(std::chrono::milliseconds(0));
    if (!frame) {
        return frame.error().code == ErrorCode::timeout;
    }
    if (frame->type == FrameType::stop) {
        return false;
    }
    if (frame->type == FrameType::cancel) {
        cancel_job(m_jobs, *frame);
        return true;
    }
    Status started =
        frame->type == FrameType::compile
            ? start(*frame)
            : failure(ErrorCode::invalid_argument, "NVRTC does not take this frame", "NVRTC");
    if (!started) {
        Frame failed = make_failed_frame(frame->request, started.error());
        failed.generation = frame->generation;
        m_supervisor_gone = !m_supervisor.send(failed);
    }
    return true;
}

Expected<NvrtcPlan> NvrtcZygote::make_plan(Frame& frame, Job& job) {
    if (m_jobs.size() >= k_max_jobs || frame.handles.size() != 1) {
        return failure(ErrorCode::limit, "too many compilations at once, or no source", "NVRTC");
    }
    NvrtcPlan plan;
    ATOLL_TRY_ASSIGN(plan.order, parse_nvrtc_order(frame.payload));
    plan.warm = &m_options.warm;
    plan.level = m_options.level;
    plan.work_folder = m_options.work_folder;
    plan.filter = m_options.filter ? &*m_options.filter : nullptr;
    plan.landlock = m_options.landlock ? &*m_options.landlock : nullptr;
    plan.base_bytes = m_options.base_bytes;
    plan.source = std::move(frame.handles[0]);
    ATOLL_TRY_ASSIGN(job.log, make_memory_file("log"));
    ATOLL_TRY_ASSIGN(job.cubin, make_memory_file("cubin"));
    ATOLL_TRY_ASSIGN(job.names, make_memory_file("names"));
    plan.log = duplicate(job.log);
    plan.cubin = duplicate(job.cubin);
    plan.names = duplicate(job.names);
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        return tl::unexpected(errno_error("pipe", "NVRTC", errno));
    }
    job.confined.reset(ends[0]);
    plan.confined.reset(ends[1]);
    return plan;
}

Status NvrtcZygote::start(Frame& frame) {
    auto job = std::make_unique<Job>();
    ATOLL_TRY_ASSIGN(NvrtcPlan plan, make_plan(frame, *job));
    if (m_options.level != SandboxLevel::full) {
        plan.work_folder += "/" + std::to_string(++m_serial);
        if (::mkdir(plan.work_folder.c_str(), 0700) != 0) {
            return tl::unexpected(errno_error("mkdir", plan.work_folder, errno));
        }
        job->own_folder = plan.work_folder;
    }
    job->request = frame.request;
    job->generation = frame.generation;
    job->begin = Clock::now();
    job->deadline = job->begin + std::chrono::duration_cast<Clock::duration>(
                                     std::chrono::duration<double>(plan.order.timeout_s));
    job->pid = ::fork();
    if (job->pid < 0) {
        return tl::unexpected(errno_error("fork", "NVRTC", errno));
    }
    if (job->pid == 0) {
        compile_device_code(plan);
    }
    ATOLL_TRY_ASSIGN(job->pidfd, open_pidfd(job->pid));
    job->order = std::move(plan.order);
    m_jobs.push_back(std::move(job));
    return {};
}

void NvrtcZygote::finish(Job& job) {
    const ProcessEnd end = job.reap();
    if (!job.was_confined() && !job.overdue) {
        std::string text(std::min<std::uint64_t>(size_of(job.log), 1000), '\0');
        const ssize_t got = ::pread(job.log.get(), text.data(), text.size(), 0);
        text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        reply(job, make_failed_frame(job.request,
                                     {ErrorCode::internal,
                                      "a child could not be locked up: " + end.text() + " " + text,
                                      "NVRTC", ""}));
        return;
    }
    reply(job, answer_to(job, end));
}

Frame NvrtcZygote::answer_to(Job& job, const ProcessEnd& end) {
    NvrtcReply answer;
    answer.toolchain = m_toolchain;
    answer.seconds = std::chrono::duration<double>(Clock::now() - job.begin).count();
    answer.cpu_seconds = job.cpu_seconds;
    const bool sealed = seal(job.log) && seal(job.cubin) && seal(job.names);
    if (job.overdue) {
        answer.status = NvrtcReply::Status::limit;
        answer.reason =
            fmt::format("the compiler took longer than {} seconds", job.order.timeout_s);
    } else if (end.signalled) {
        std::tie(answer.status, answer.reason) = cause_of(end.status);
    } else if (end.status == k_nvrtc_no_memory) {
        answer.status = NvrtcReply::Status::limit;
        answer.reason = "the compiler ran out of memory";
    } else if (end.status != k_nvrtc_ok || !sealed) {
        answer.status = NvrtcReply::Status::error;
    } else if (size_of(job.cubin) > job.order.cubin_bytes ||
               size_of(job.names) > k_max_lowered_names_bytes) {
        answer.status = NvrtcReply::Status::limit;
        answer.reason =
            fmt::format("the machine code is larger than {} bytes", job.order.cubin_bytes);
    } else {
        answer.status = NvrtcReply::Status::ok;
    }
    Frame frame;
    frame.type = FrameType::compiled;
    frame.payload = to_json(answer);
    frame.handles.push_back(std::move(job.log));
    if (answer.status == NvrtcReply::Status::ok) {
        frame.handles.push_back(std::move(job.cubin));
        frame.handles.push_back(std::move(job.names));
    }
    return frame;
}

void NvrtcZygote::reply(const Job& job, Frame frame) {
    frame.request = job.request;
    frame.generation = job.generation;
    m_supervisor_gone = m_supervisor_gone || !m_supervisor.send(frame);
}

}  // namespace atl
