#include "reward/workers/nvrtc_zygote.hpp"

#include "reward/workers/job_deadlines.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>
#include <tuple>
#include <utility>

namespace atl {

namespace {

constexpr std::size_t k_max_jobs = 64;
/// A child takes 10 ms until it waits, and some 50 MB.
constexpr std::size_t k_spares = 2;
/// What ended a spare, want of memory for one, may end the next one as well.
constexpr std::chrono::seconds k_wait_after_loss{10};
constexpr int k_seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

using Clock = std::chrono::steady_clock;

Expected<FileHandle> make_memory_file(const char* name) {
    FileHandle file(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file) {
        return tl::unexpected(errno_error("memfd_create", "NVRTC", errno));
    }
    return file;
}

std::uint64_t size_of(const FileHandle& file) {
    struct stat about {};
    return ::fstat(file.get(), &about) == 0 ? static_cast<std::uint64_t>(about.st_size) : 0;
}

std::size_t usable_cores() {
    cpu_set_t cores;
    return ::sched_getaffinity(0, sizeof(cores), &cores) == 0
               ? static_cast<std::size_t>(CPU_COUNT(&cores))
               : std::max(1u, std::thread::hardware_concurrency());
}

/// Files that are sealed already stay so.
bool seal(const FileHandle& file) {
    return ::fcntl(file.get(), F_ADD_SEALS, k_seals) == 0 ||
           ::fcntl(file.get(), F_GET_SEALS) == k_seals;
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
    std::unique_ptr<NvrtcProcess> process;
    FileHandle log;
    FileHandle cubin;
    FileHandle names;
    NvrtcWords words;
    Clock::time_point begin;
    Clock::time_point deadline;
    bool overdue = false;
    double cpu_seconds = 0;  ///< until the request; once it has finished, since then

    void kill() const { process->kill(); }
};

bool NvrtcZygote::seal(const Job& job) {
    return atl::seal(job.log) && atl::seal(job.cubin) && atl::seal(job.names);
}

NvrtcZygote::NvrtcZygote(FrameChannel supervisor, NvrtcZygoteOptions options)
    : m_supervisor(std::move(supervisor)),
      m_options(std::move(options)),
      m_toolchain(fmt::format("NVRTC {}.{}", m_options.warm.library.major(),
                              m_options.warm.library.minor())),
      m_cores(usable_cores()) {}

NvrtcZygote::~NvrtcZygote() = default;

int NvrtcZygote::serve() {
    while (!m_supervisor_gone) {
        keep_spares();
        std::vector<pollfd> entries{{m_supervisor.fd(), POLLIN, 0}};
        for (const auto& job : m_jobs) {
            entries.push_back({job->words.fd(), POLLIN, 0});
        }
        for (const auto* processes : {&m_spares.processes, &m_ending}) {
            for (const auto& process : *processes) {
                entries.push_back({process->pidfd(), POLLIN, 0});
            }
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
                m_jobs[i]->words.listen();
            }
            if (m_jobs[i]->words.over()) {
                finish(*m_jobs[i]);
                m_jobs.erase(m_jobs.begin() + static_cast<std::ptrdiff_t>(i));
            }
        }
        drop_ended();
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

Status NvrtcZygote::start(Frame& frame) {
    if (m_jobs.size() >= k_max_jobs || frame.handles.size() != 1) {
        return failure(ErrorCode::limit, "too many compilations at once, or no source", "NVRTC");
    }
    auto job = std::make_unique<Job>();
    job->request = frame.request;
    job->generation = frame.generation;
    job->begin = Clock::now();
    ATOLL_TRY_ASSIGN(job->order, parse_nvrtc_order(frame.payload));
    job->deadline = job->begin + std::chrono::duration_cast<Clock::duration>(
                                     std::chrono::duration<double>(job->order.timeout_s));
    ATOLL_TRY_ASSIGN(job->log, make_memory_file("log"));
    ATOLL_TRY_ASSIGN(job->cubin, make_memory_file("cubin"));
    ATOLL_TRY_ASSIGN(job->names, make_memory_file("names"));
    ATOLL_TRY(hand_over(*job, frame));
    m_jobs.push_back(std::move(job));
    return {};
}

/// Nobody but the child keeps the writing end of the pipe.
Status NvrtcZygote::hand_over(Job& job, Frame& frame) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        return tl::unexpected(errno_error("pipe", "NVRTC", errno));
    }
    job.words = NvrtcWords(FileHandle(ends[0]));
    FileHandle writing(ends[1]);
    Frame order;
    order.type = FrameType::compile;
    order.payload = std::move(frame.payload);
    order.handles.push_back(std::move(frame.handles[0]));
    for (const FileHandle* file : {&job.log, &job.cubin, &job.names}) {
        ATOLL_TRY_ASSIGN(order.handles.emplace_back(), duplicate_handle(*file));
    }
    order.handles.push_back(std::move(writing));
    drop_ended();
    while (!m_spares.processes.empty()) {
        job.process = std::move(m_spares.processes.front());
        m_spares.processes.erase(m_spares.processes.begin());
        job.cpu_seconds = job.process->cpu_seconds();
        if (job.process->give(order)) {
            return {};
        }
    }
    ATOLL_TRY_ASSIGN(job.process, fork_child());
    job.cpu_seconds = 0;
    return job.process->give(order);
}

Expected<std::unique_ptr<NvrtcProcess>> NvrtcZygote::fork_child() {
    NvrtcPlan plan;
    plan.warm = &m_options.warm;
    plan.level = m_options.level;
    plan.work_folder = m_options.work_folder;
    if (plan.level != SandboxLevel::full) {
        plan.work_folder += "/" + std::to_string(++m_serial);
    }
    plan.filter = m_options.filter ? &*m_options.filter : nullptr;
    plan.landlock = m_options.landlock ? &*m_options.landlock : nullptr;
    plan.base_bytes = m_options.base_bytes;
    return NvrtcProcess::fork(std::move(plan));
}

/// While every core compiles, one more process takes as much from the others as it saves.
void NvrtcZygote::keep_spares() {
    while (m_spares.processes.size() < k_spares && m_jobs.size() < m_cores &&
           Clock::now() >= m_spares.not_before) {
        auto spare = fork_child();
        if (spare) {
            m_spares.processes.push_back(std::move(*spare));
        } else {
            m_spares.not_before = Clock::now() + k_wait_after_loss;
        }
    }
}

void NvrtcZygote::drop_ended() {
    const auto drop = [](Processes& processes) {
        return std::erase_if(processes, [](const auto& process) {
            pollfd entry{process->pidfd(), POLLIN, 0};
            return ::poll(&entry, 1, 0) > 0;
        });
    };
    drop(m_ending);
    if (drop(m_spares.processes) > 0) {
        m_spares.not_before = Clock::now() + k_wait_after_loss;
    }
}

void NvrtcZygote::finish(Job& job) {
    std::optional<ProcessEnd> end;
    job.kill();  // it may have closed the pipe, or said its word, and go on
    job.cpu_seconds = job.process->cpu_seconds() - job.cpu_seconds;
    if (!job.words.last() || !seal(job)) {  // what still maps a file must be gone
        end = job.process->reap();
    }
    if (!job.words.confined() && !job.overdue) {
        std::string text(std::min<std::uint64_t>(size_of(job.log), 1000), '\0');
        const ssize_t got = ::pread(job.log.get(), text.data(), text.size(), 0);
        text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        reply(job, make_failed_frame(job.request, {ErrorCode::internal,
                                                   "a child could not be locked up: " +
                                                       (end ? end->text() + " " : "") + text,
                                                   "NVRTC", ""}));
    } else {
        reply(job, answer_to(job, end));
    }
    if (!end) {
        m_ending.push_back(std::move(job.process));
    }
}

Frame NvrtcZygote::answer_to(Job& job, const std::optional<ProcessEnd>& end) {
    NvrtcReply answer;
    answer.toolchain = m_toolchain;
    answer.seconds = std::chrono::duration<double>(Clock::now() - job.begin).count();
    answer.cpu_seconds = job.cpu_seconds;
    const bool sealed = seal(job);
    if (job.overdue) {
        answer.status = NvrtcReply::Status::limit;
        answer.reason =
            fmt::format("the compiler took longer than {} seconds", job.order.timeout_s);
    } else if (!job.words.last() && end && end->signalled) {
        std::tie(answer.status, answer.reason) = cause_of(end->status);
    } else if (job.words.last() == NvrtcWord::no_memory) {
        answer.status = NvrtcReply::Status::limit;
        answer.reason = "the compiler ran out of memory";
    } else if (job.words.last() != NvrtcWord::ok || !sealed) {
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
