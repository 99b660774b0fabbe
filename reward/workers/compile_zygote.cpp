#include "reward/workers/compile_zygote.hpp"

#include "reward/base/process.hpp"
#include "reward/workers/compile_child.hpp"
#include "reward/workers/compile_job.hpp"
#include "reward/workers/compile_log.hpp"
#include "reward/workers/job_deadlines.hpp"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

namespace atl {

namespace {

constexpr std::size_t k_max_jobs = 64;

using Clock = std::chrono::steady_clock;

Expected<std::pair<FileHandle, FileHandle>> make_pipe(int read_flags) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return tl::unexpected(errno_error("pipe", "compiler", errno));
    }
    ::fcntl(ends[0], F_SETFL, read_flags);
    return std::pair(FileHandle(ends[0]), FileHandle(ends[1]));
}

/// Enough to know that dlopen will not be handed something else; it checks the rest.
bool is_shared_object(int fd) {
    Elf64_Ehdr header{};
    return ::pread(fd, &header, sizeof(header), 0) == static_cast<ssize_t>(sizeof(header)) &&
           std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
           header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_type == ET_DYN;
}

constexpr int k_seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

}  // namespace

CompileZygote::CompileZygote(FrameChannel supervisor, CompileZygoteOptions options)
    : m_supervisor(std::move(supervisor)), m_options(std::move(options)) {}

CompileZygote::~CompileZygote() = default;

int CompileZygote::serve() {
    while (!m_supervisor_gone) {
        std::vector<pollfd> entries{{m_supervisor.fd(), POLLIN, 0}};
        for (const auto& job : m_jobs) {
            entries.push_back({job->pidfd.get(), POLLIN, 0});
            entries.push_back({job->log.get(), POLLIN, 0});
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
            if (entries[2 + 2 * i].revents != 0) {
                m_jobs[i]->drain_log();
            }
            if (entries[1 + 2 * i].revents != 0) {
                if (finish(*m_jobs[i])) {
                    m_jobs.erase(m_jobs.begin() + static_cast<std::ptrdiff_t>(i));
                }
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

bool CompileZygote::handle_supervisor() {
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
    Status started = frame->type == FrameType::compile
                         ? start(*frame)
                         : failure(ErrorCode::invalid_argument,
                                   "a compiler does not take this frame", "compiler");
    if (!started) {
        Frame failed = make_failed_frame(frame->request, started.error());
        failed.generation = frame->generation;
        m_supervisor_gone = !m_supervisor.send(failed);
    }
    return true;
}

Expected<CompilePlan> CompileZygote::make_plan(Frame& frame) {
    if (m_jobs.size() >= k_max_jobs || (frame.handles.size() != 1 && frame.handles.size() != 3)) {
        return failure(ErrorCode::limit, "too many compilations at once, or no source", "compiler");
    }
    ATOLL_TRY_ASSIGN(const CompileOrder order, parse_compile_order(frame.payload));
    ATOLL_TRY_ASSIGN(CompilePlan plan, plan_for(order));
    plan.source = std::move(frame.handles[0]);
    return plan;
}

Expected<CompilePlan> CompileZygote::plan_for(const CompileOrder& order) const {
    CompilePlan plan;
    plan.order = order;
    plan.compiler = m_options.compiler;
    plan.level = m_options.level;
    plan.work_folder = m_options.work_folder;
    plan.filter = m_options.filter ? &*m_options.filter : nullptr;
    plan.landlock = m_options.landlock ? &*m_options.landlock : nullptr;
    plan.binary.reset(::memfd_create("candidate.so", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!plan.binary) {
        return tl::unexpected(errno_error("memfd_create", "compiler", errno));
    }
    return plan;
}

Status CompileZygote::start(Frame& frame) {
    auto job = std::make_unique<Job>();
    ATOLL_TRY_ASSIGN(CompilePlan plan, make_plan(frame));
    job->request = frame.request;
    job->generation = frame.generation;
    job->order = plan.order;
    job->begin = Clock::now();
    if (frame.handles.size() == 3) {
        ATOLL_TRY(start_with_prelude(*job, std::move(plan), frame));
    } else {
        ATOLL_TRY(start_manager(*job, std::move(plan)));
    }
    m_jobs.push_back(std::move(job));
    return {};
}

Status CompileZygote::start_manager(Job& job, CompilePlan plan) {
    if (m_options.level != SandboxLevel::full) {
        plan.work_folder += "/" + std::to_string(++m_serial);
        if (::mkdir(plan.work_folder.c_str(), 0700) != 0) {
            return tl::unexpected(errno_error("mkdir", plan.work_folder, errno));
        }
        job.own_folder = plan.work_folder;
    }
    ATOLL_TRY_ASSIGN(auto log, make_pipe(O_NONBLOCK));
    ATOLL_TRY_ASSIGN(auto report, make_pipe(0));
    plan.log = std::move(log.second);
    plan.report = std::move(report.second);
    job.log = std::move(log.first);
    job.report = std::move(report.first);
    job.set_deadline();
    job.pid = ::fork();
    if (job.pid < 0) {
        return tl::unexpected(errno_error("fork", "compiler", errno));
    }
    if (job.pid == 0) {
        manage_compilation(plan);
    }
    ::setpgid(job.pid, job.pid);  // also done by the child: whoever comes first
    ATOLL_TRY_ASSIGN(job.pidfd, open_pidfd(job.pid));
    job.binary = std::move(plan.binary);
    return {};
}

bool CompileZygote::finish(Job& job) {
    // What the compiler left behind must not hold the log open or go on working.
    job.kill();
    int status = 0;
    while (::waitpid(job.pid, &status, 0) < 0 && errno == EINTR) {
    }
    job.pid = -1;
    job.drain_log();
    if (job.warm) {
        return finish_warm(job, decode_wait_status(status));
    }
    ManagerReport report;
    const bool told =
        ::read(job.report.get(), &report, sizeof(report)) == static_cast<ssize_t>(sizeof(report));
    conclude(job, told, report);
    return true;
}

void CompileZygote::conclude(Job& job, bool told, ManagerReport& report) {
    CompileReply answer;
    answer.whole_because = job.whole_because.substr(0, k_max_reason_bytes);
    answer.log = trim_compile_log(job.raw_log,
                                  job.own_folder.empty() ? m_options.work_folder : job.own_folder);
    if (!told && !job.overdue) {
        report.fault_errno = ECHILD;
    }
    if (report.fault_errno != 0) {
        const bool missing = report.fault_errno == ENOEXEC;
        reply(job,
              make_failed_frame(job.request,
                                {missing ? ErrorCode::not_found : ErrorCode::internal,
                                 "the compiler could not be run: " + answer.log, "compiler", ""}));
        return;
    }
    if (told && !report.signalled && report.status == 0 && report.binary_bytes == 0) {
        // No source makes a compiler do that: what was named is none.
        reply(job, make_failed_frame(
                       job.request,
                       {ErrorCode::invalid_argument, "ended well but wrote no shared object",
                        m_options.compiler, "is it a C++ compiler? `atoll doctor` tries it"}));
        return;
    }
    if (told) {
        judge(job, report, answer);
    } else {
        answer.status = CompileResult::Status::limit;
        answer.seconds = job.order.timeout_s;
        answer.log +=
            fmt::format("the compiler took longer than {} seconds\n", job.order.timeout_s);
    }
    Frame frame;
    frame.type = FrameType::compiled;
    frame.payload = to_json(answer);
    if (answer.status == CompileResult::Status::ok) {
        frame.handles.push_back(std::move(job.binary));
    }
    reply(job, std::move(frame));
}

void CompileZygote::judge(const Job& job, const ManagerReport& report, CompileReply& answer) {
    answer.seconds = job.compile_seconds + report.seconds;
    const bool finished = !report.signalled && report.status == 0;
    if (report.signalled) {
        answer.status = CompileResult::Status::limit;
        answer.killed = report.status == SIGKILL;
        answer.log += "the compiler was " + ProcessEnd{true, report.status}.text() + "\n";
    } else if (finished && report.binary_bytes > job.order.binary_bytes) {
        answer.status = CompileResult::Status::limit;
        answer.log +=
            fmt::format("the shared object is larger than {} bytes\n", job.order.binary_bytes);
    } else if (!finished) {
        answer.status = resource_complaint(job.raw_log).empty() ? CompileResult::Status::error
                                                                : CompileResult::Status::limit;
    } else if (is_shared_object(job.binary.get()) &&
               ::fcntl(job.binary.get(), F_ADD_SEALS, k_seals) == 0) {
        answer.status = CompileResult::Status::ok;
    } else {
        answer.status = CompileResult::Status::error;
        answer.log += "the compiler made no shared object\n";
    }
}

void CompileZygote::reply(const Job& job, Frame frame) {
    frame.request = job.request;
    frame.generation = job.generation;
    m_supervisor_gone = m_supervisor_gone || !m_supervisor.send(frame);
}

}  // namespace atl
