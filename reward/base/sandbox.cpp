#include "reward/base/sandbox.hpp"

#include "reward/base/files.hpp"
#include "reward/base/jail_filter.hpp"
#include "reward/base/jail_landlock.hpp"
#include "reward/base/jail_limits.hpp"
#include "reward/base/jail_root.hpp"
#include "reward/base/process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>

namespace atl {

namespace {

/// Runs `attempt` in a child process and brings its error's text back; empty when it worked.
std::string try_in_child(const std::function<Status()>& attempt) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return errno_error("pipe", "", errno).what;
    }
    FileHandle from_child(ends[0]);
    FileHandle to_parent(ends[1]);
    const pid_t child = fork_without_signals();
    if (child < 0) {
        return errno_error("fork", "", errno).what;
    }
    if (child == 0) {
        const Status status = attempt();
        const std::string text = status ? "" : status.error().message();
        const bool told =
            ::write(to_parent.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
        ::_exit(status && told ? 0 : 1);
    }
    to_parent.reset();
    std::string text(2048, '\0');
    const ssize_t size = ::read(from_child.get(), text.data(), text.size());
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0 && text.empty()) {
        return "the trial process died";
    }
    return text;
}

Status try_namespaces() {
    ATOLL_TRY(leave_root_user());
    ATOLL_TRY(enter_namespaces());
    // A security module may permit the namespace but not what it is for.
    JailRoot root;
    root.devices = {"/dev/null"};
    ATOLL_TRY(enter_jail_root(root));
    return drop_capabilities();
}

Status try_seccomp() {
    FilterBuilder builder(FilterDefault::enosys);
    builder.allow({"write", "exit_group", "sigaltstack"});  // the last for sanitizers' runtimes
    ATOLL_TRY_ASSIGN(const SyscallFilter filter, builder.build());
    ATOLL_TRY(drop_privilege_paths());
    return filter.apply();
}

Status try_landlock() {
    ATOLL_TRY(drop_privilege_paths());
    ATOLL_TRY(apply_landlock({}));
    if (const FileHandle file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)); file) {
        return failure(ErrorCode::internal, "Landlock is on but a file can still be opened");
    }
    return {};
}

constexpr const char* k_namespace_remedy =
    "allow unprivileged user namespaces: sysctl kernel.unprivileged_userns_clone=1, "
    "user.max_user_namespaces > 0, kernel.apparmor_restrict_unprivileged_userns=0; in a container "
    "start it with a seccomp profile that permits unshare and mount";
constexpr const char* k_landlock_remedy =
    "needs Linux 5.13 or newer with landlock in the kernel's lsm= list";
constexpr const char* k_seccomp_remedy = "needs a kernel with CONFIG_SECCOMP_FILTER";

}  // namespace

std::string_view to_string(SandboxLevel level) {
    switch (level) {
        case SandboxLevel::none:
            return "none";
        case SandboxLevel::restricted:
            return "restricted";
        case SandboxLevel::full:
            return "full";
    }
    return "none";
}

Expected<SandboxLevel> sandbox_level_from(std::string_view name) {
    for (const auto level : {SandboxLevel::none, SandboxLevel::restricted, SandboxLevel::full}) {
        if (name == to_string(level)) {
            return level;
        }
    }
    return failure(ErrorCode::invalid_argument, "no sandbox level '" + std::string(name) + "'", {},
                   "use full, restricted or none");
}

SandboxProbe probe_sandbox() {
    SandboxProbe probe;
    const auto note = [&probe](const std::string& layer, const std::string& error,
                               const char* remedy) {
        if (error.empty()) {
            probe.layers.push_back(layer);
        } else {
            probe.missing.push_back(layer + ": " + error + "; " + remedy);
        }
        return error.empty();
    };
    probe.layers.emplace_back("rlimits");
    const bool seccomp = note("seccomp", try_in_child(try_seccomp), k_seccomp_remedy);
    const int version = landlock_version();
    const bool landlock =
        note(version > 0 ? "Landlock ABI " + std::to_string(version) : "Landlock",
             version > 0 ? try_in_child(try_landlock) : "not in this kernel", k_landlock_remedy);
    const bool namespaces = note("user, pid, mount, net, ipc and uts namespaces",
                                 try_in_child(try_namespaces), k_namespace_remedy);
    if (seccomp && namespaces) {
        probe.level = SandboxLevel::full;
    } else if (seccomp && landlock) {
        probe.level = SandboxLevel::restricted;
    }
    return probe;
}

Expected<SandboxLevel> choose_sandbox_level(const SandboxProbe& probe, SandboxLevel required,
                                            SandboxLevel at_most) {
    const SandboxLevel level = std::min(probe.level, at_most);
    if (level >= required) {
        return level;
    }
    std::string missing;
    for (const std::string& line : probe.missing) {
        missing += (missing.empty() ? "" : "; ") + line;
    }
    return failure(ErrorCode::permission,
                   "level " + std::string(to_string(required)) + " is required, but only " +
                       std::string(to_string(level)) + " can be had here" +
                       (missing.empty() ? "" : ": " + missing),
                   "sandbox", "provide what is missing, or require a lower level");
}

}  // namespace atl
