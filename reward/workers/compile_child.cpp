#include "reward/workers/compile_child.hpp"

#include "reward/base/jail_limits.hpp"
#include "reward/base/jail_root.hpp"
#include "reward/base/process.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <vector>

namespace atl {

namespace {

constexpr const char* k_source_name = "candidate.cpp";
constexpr const char* k_object_name = "candidate.o";
constexpr const char* k_binary_name = "candidate.so";
/// Assembly and object files are larger than the shared object that comes of them.
constexpr std::uint64_t k_work_factor = 4;
constexpr std::uint64_t k_max_open_files = 256;
constexpr std::uint64_t k_max_processes = 512;  ///< of all compilations of one worker
constexpr int k_exec_failed = 127;

Status copy_bytes(int from, int to, std::uint64_t bytes) {
    off_t done = 0;
    while (std::cmp_less(done, bytes)) {
        const ssize_t step = ::sendfile(to, from, &done, bytes - static_cast<std::uint64_t>(done));
        if (step <= 0) {
            return tl::unexpected(errno_error("sendfile", "compile", step == 0 ? EIO : errno));
        }
    }
    return {};
}

/// At level full the folder becomes a tmpfs that this process and its children alone see, and the
/// next child the init of a fresh pid namespace, so that nothing survives it.
Status prepare_folder(const CompilePlan& plan) {
    if (plan.level == SandboxLevel::full) {
        if (::unshare(CLONE_NEWNS | CLONE_NEWPID) != 0) {
            return tl::unexpected(errno_error("unshare", "compile", errno));
        }
        ATOLL_TRY(mount_tmpfs(plan.work_folder, k_work_factor * plan.order.binary_bytes));
    }
    if (::chdir(plan.work_folder.c_str()) != 0) {
        return tl::unexpected(errno_error("chdir", plan.work_folder, errno));
    }
    const char* name = plan.link_command.empty() ? k_source_name : k_object_name;
    const FileHandle file(::open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
    struct stat about {};
    if (!file || ::fstat(plan.source.get(), &about) != 0) {
        return tl::unexpected(errno_error("open", name, errno));
    }
    return copy_bytes(plan.source.get(), file.get(), static_cast<std::uint64_t>(about.st_size));
}

std::vector<std::string> command_line(const CompilePlan& plan) {
    if (!plan.link_command.empty()) {
        return plan.link_command;
    }
    std::vector<std::string> words{plan.compiler};
    words.insert(words.end(), plan.order.flags.begin(), plan.order.flags.end());
    words.insert(words.end(), {"-o", k_binary_name, k_source_name});
    for (const std::string& library : plan.order.libraries) {
        words.push_back("-l" + library);
    }
    return words;
}

std::vector<char*> c_strings(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (std::string& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

Status confine_compiler(const CompilePlan& plan) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 ||
        ::dup2(plan.log.get(), STDOUT_FILENO) < 0 || ::dup2(plan.log.get(), STDERR_FILENO) < 0 ||
        ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) != 0) {
        return tl::unexpected(errno_error("dup2", "compile", errno));
    }
    JailLimits limits;
    limits.address_space_bytes = plan.order.memory_bytes;
    limits.cpu_seconds = static_cast<std::uint64_t>(std::ceil(plan.order.timeout_s)) + 1;
    limits.file_bytes = k_work_factor * plan.order.binary_bytes;
    limits.open_files = k_max_open_files;
    if (plan.level == SandboxLevel::full) {
        limits.processes = k_max_processes;
    }
    ATOLL_TRY(apply_limits(limits));
    ATOLL_TRY(drop_capabilities());
    if (plan.landlock != nullptr) {
        LandlockRules rules = *plan.landlock;
        rules.writable = {plan.work_folder};  // not the folders of other compilations
        if (!plan.link_folder.empty()) {
            rules.readable.push_back(plan.link_folder);
        }
        ATOLL_TRY(apply_landlock(rules));
    }
    return plan.filter != nullptr ? plan.filter->apply() : Status{};
}

[[noreturn]] void become_compiler(const CompilePlan& plan) {
    std::vector<std::string> words = command_line(plan);
    std::vector<std::string> environment{"PATH=/usr/bin:/bin", "LC_ALL=C",
                                         "TMPDIR=" + plan.work_folder};
    if (Status confined = confine_compiler(plan); !confined) {
        const std::string text = "atoll: " + confined.error().message() + "\n";
        (void)!::write(plan.log.get(), text.data(), text.size());
        ::_exit(k_exec_failed);
    }
    ::execve(words[0].c_str(), c_strings(words).data(), c_strings(environment).data());
    const std::string text = "atoll: " + errno_error("execve", words[0], errno).message() +
                             "; the jail shows a compiler that lies in PREFIX/bin\n";
    (void)!::write(STDERR_FILENO, text.data(), text.size());
    ::_exit(k_exec_failed);
}

/// Copies the shared object to the memfd, if it is a plain file and not too large.
void collect_binary(const CompilePlan& plan, ManagerReport& report) {
    const FileHandle file(::open(k_binary_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat about {};
    if (!file || ::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) {
        return;
    }
    report.binary_bytes = static_cast<std::uint64_t>(about.st_size);
    if (report.binary_bytes > plan.order.binary_bytes) {
        return;
    }
    if (Status copied = copy_bytes(file.get(), plan.binary.get(), report.binary_bytes); !copied) {
        report.fault_errno = EIO;
    }
}

void run_compiler(const CompilePlan& plan, ManagerReport& report) {
    const auto begin = std::chrono::steady_clock::now();
    const pid_t driver = ::fork();
    if (driver == 0) {
        become_compiler(plan);
    }
    if (driver < 0) {
        report.fault_errno = errno;
        return;
    }
    int status = 0;
    while (::waitpid(driver, &status, 0) < 0 && errno == EINTR) {
    }
    report.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const ProcessEnd end = decode_wait_status(status);
    report.signalled = end.signalled;
    report.status = end.status;
    if (!end.signalled && end.status == 0) {
        collect_binary(plan, report);
    } else if (!end.signalled && end.status == k_exec_failed) {
        report.fault_errno = ENOEXEC;  // no source makes a compiler end so
    }
}

}  // namespace

void manage_compilation(const CompilePlan& plan) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    ManagerReport report;
    if (Status prepared = prepare_folder(plan); prepared) {
        run_compiler(plan, report);
    } else {
        const std::string text = "atoll: " + prepared.error().message() + "\n";
        (void)!::write(plan.log.get(), text.data(), text.size());
        report.fault_errno = EIO;
    }
    const bool told =
        ::write(plan.report.get(), &report, sizeof(report)) == static_cast<ssize_t>(sizeof(report));
    ::_exit(told ? 0 : 1);
}

}  // namespace atl
