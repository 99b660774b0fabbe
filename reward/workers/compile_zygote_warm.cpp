// Orders with a prelude: a warm compiler's child makes an object file, and a manager links it.

#include "reward/base/process.hpp"
#include "reward/workers/compile_child.hpp"
#include "reward/workers/compile_job.hpp"
#include "reward/workers/warm_compiler.hpp"
#include "reward/workers/warm_messages.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmath>

namespace atl {

namespace {

constexpr std::size_t k_max_warm = 4;
constexpr int k_most_failures_to_warm = 3;
constexpr std::uint64_t k_max_text_bytes = 16u << 20;
constexpr std::uint64_t k_work_factor = 4;  ///< an object file is larger than what comes of it

using Clock = std::chrono::steady_clock;

Expected<std::string> text_of(const FileHandle& file) {
    struct stat about {};
    if (::fstat(file.get(), &about) != 0) {
        return tl::unexpected(errno_error("fstat", "source", errno));
    }
    std::string text(std::min(static_cast<std::uint64_t>(about.st_size), k_max_text_bytes), '\0');
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t got =
            ::pread(file.get(), text.data() + done, text.size() - done, static_cast<off_t>(done));
        if (got <= 0) {
            return tl::unexpected(errno_error("read", "source", got == 0 ? EIO : errno));
        }
        done += static_cast<std::size_t>(got);
    }
    return text;
}

Expected<FileHandle> memory_file(const std::string& text) {
    FileHandle file(::memfd_create("source", MFD_CLOEXEC));
    if (!file ||
        ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        return tl::unexpected(errno_error("memfd_create", "source", errno));
    }
    return file;
}

/// A header changed since, or the file is damaged, or a source made an error say so.
bool is_about_the_precompiled_header(std::string_view log) {
    return log.find("precompiled header") != std::string_view::npos ||
           log.find("PCH file") != std::string_view::npos ||
           log.find("AST file") != std::string_view::npos;
}

}  // namespace

std::shared_ptr<WarmCompiler> CompileZygote::warm_for(const CompileOrder& order,
                                                      const std::string& prelude,
                                                      const std::string& runtime) {
    const auto known = std::find_if(m_warm.begin(), m_warm.end(), [&](const auto& one) {
        return one->fits(order.flags, prelude, runtime);
    });
    if (known != m_warm.end()) {
        std::rotate(known, known + 1, m_warm.end());
        return m_warm.back();
    }
    if (m_failures_to_warm >= k_most_failures_to_warm) {
        return nullptr;
    }
    WarmPlace place;
    place.compiler = m_options.compiler;
    place.folder = m_options.warm_folder;
    place.name = "warm" + std::to_string(++m_serial);
    place.making = m_options.filter ? &*m_options.filter : nullptr;
    place.compiling = m_options.warm_filter ? &*m_options.warm_filter : nullptr;
    place.landlock = m_options.landlock ? &*m_options.landlock : nullptr;
    place.memory_bytes = order.memory_bytes;
    place.file_bytes = k_work_factor * order.binary_bytes;
    auto made = WarmCompiler::make(place, order.flags, prelude, runtime);
    if (!made) {
        ++m_failures_to_warm;
        m_last_failure_to_warm = made.error().message();
        return nullptr;
    }
    if (m_warm.size() >= k_max_warm) {
        m_warm.erase(m_warm.begin());
    }
    m_failures_to_warm = 0;
    m_warm.push_back(std::move(*made));
    return m_warm.back();
}

Status CompileZygote::start_with_prelude(Job& job, CompilePlan plan, Frame& frame) {
    ATOLL_TRY_ASSIGN(const std::string prelude, text_of(frame.handles[1]));
    ATOLL_TRY_ASSIGN(const std::string runtime, text_of(frame.handles[2]));
    job.texts_before = prelude + runtime;
    job.source = std::move(plan.source);
    job.warm = warm_for(job.order, prelude, runtime);
    job.begin = Clock::now();  // what is made once is none of its time
    if (job.warm) {
        const Status started = start_warm(job);
        if (started) {
            return {};
        }
        job.whole_because = started.error().message();
        std::erase(m_warm, job.warm);  // maybe dead; the next order makes another
    }
    if (job.whole_because.empty()) {
        job.whole_because = m_last_failure_to_warm;
    }
    return compile_whole(job, std::move(plan));
}

Status CompileZygote::start_warm(Job& job) const {
    job.object.reset(::memfd_create("candidate.o", MFD_CLOEXEC));
    std::array<int, 2> ends{};
    if (!job.object || ::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return tl::unexpected(errno_error("memfd_create", "compiler", errno));
    }
    job.log.reset(ends[0]);
    const FileHandle log(ends[1]);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    job.set_deadline();
    const auto cpu_seconds = static_cast<std::uint64_t>(std::ceil(job.order.timeout_s)) + 1;
    ATOLL_TRY_ASSIGN(job.pid, job.warm->start(job.source, job.object, log, cpu_seconds));
    ATOLL_TRY_ASSIGN(job.pidfd, open_pidfd(job.pid));
    return {};
}

Status CompileZygote::compile_whole(Job& job, CompilePlan plan) {
    job.warm.reset();
    job.raw_log.clear();
    ATOLL_TRY_ASSIGN(const std::string source, text_of(job.source));
    ATOLL_TRY_ASSIGN(plan.source, memory_file(job.texts_before + source));
    return start_manager(job, std::move(plan));
}

/// With the manager that links, or, where the warm compiler was at fault, compiles it all.
Status CompileZygote::go_on(Job& job, const ProcessEnd& end) {
    ATOLL_TRY_ASSIGN(CompilePlan plan, plan_for(job.order));
    if (end.status != 0) {
        // A source may complain of itself; one that stays is for the others.
        if (end.status == k_warm_not_confined || !job.warm->still_works()) {
            std::erase(m_warm, job.warm);  // the next order makes another
        }
        job.whole_because = end.text() + " " + job.raw_log;
        return compile_whole(job, std::move(plan));
    }
    plan.link_command = job.warm->link_command();
    plan.link_folder = m_options.warm_folder;
    plan.source = std::move(job.object);
    job.warm.reset();
    return start_manager(job, std::move(plan));
}

bool CompileZygote::finish_warm(Job& job, const ProcessEnd& end) {
    job.compile_seconds = std::chrono::duration<double>(Clock::now() - job.begin).count();
    const bool at_fault =
        !end.signalled && (end.status == k_warm_not_confined ||
                           (end.status != 0 && is_about_the_precompiled_header(job.raw_log)));
    const bool goes_on = !job.overdue && !end.signalled && (end.status == 0 || at_fault);
    if (goes_on) {
        const Status gone_on = go_on(job, end);
        if (!gone_on) {
            reply(job, make_failed_frame(job.request, gone_on.error()));
        }
        return !gone_on;
    }
    ManagerReport report;
    report.signalled = end.signalled;
    report.status = end.status;
    conclude(job, !job.overdue, report);
    return true;
}

}  // namespace atl
