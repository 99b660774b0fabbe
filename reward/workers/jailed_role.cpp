#include "reward/workers/jailed_role.hpp"

#include "reward/base/files.hpp"
#include "reward/base/jail_limits.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace atl {

namespace {

Status close_jail(SandboxLevel level, const JailView& view) {
    if (level == SandboxLevel::full) {
        ATOLL_TRY(enter_jail_root(view.root));
    }
    ATOLL_TRY(drop_privilege_paths());
    if (level == SandboxLevel::restricted) {
        ATOLL_TRY(apply_landlock(view.landlock));
    }
    return {};
}

int serve_in_jail(SandboxLevel level, const JailView& view, const std::function<int()>& serve,
                  const std::function<int(const Error&)>& on_error) {
    if (Status closed = close_jail(level, view); !closed) {
        return on_error(closed.error());
    }
    return serve();
}

/// Waits for the jailed process; it holds the channels, so ours are closed.
int shepherd(pid_t child) {
    ::close_range(3, ~0u, 0);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// NVRTC leaves threads behind where there are many cores.
std::size_t threads_of_this_process() {
    std::error_code error;
    std::size_t threads = 0;
    for (std::filesystem::directory_iterator entry("/proc/self/task", error), end;
         !error && entry != end; entry.increment(error)) {
        ++threads;
    }
    return threads;
}

int in_child(const std::function<int()>& live, const std::function<int(const Error&)>& on_error) {
    const pid_t child = ::fork();
    if (child < 0) {
        return on_error(errno_error("fork", "sandbox", errno));
    }
    if (child == 0) {
        // The parent may be in another pid namespace, so its death shows only by this signal.
        ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        ::_exit(live());
    }
    return shepherd(child);
}

}  // namespace

int run_in_jail(SandboxLevel level, const JailView& view, const std::function<int()>& serve,
                const std::function<int(const Error&)>& on_error) {
    if (Status silent = silence_standard_streams(); !silent) {
        return on_error(silent.error());
    }
    const auto serve_closed = [&] { return serve_in_jail(level, view, serve, on_error); };
    if (level != SandboxLevel::full) {
        return in_child(serve_closed, on_error);
    }
    const auto enter = [&] {
        if (Status entered = enter_namespaces(); !entered) {
            return on_error(entered.error());
        }
        return in_child(serve_closed, on_error);
    };
    // Only a process of one thread may enter a user namespace, and a forked one has one.
    return threads_of_this_process() > 1 ? in_child(enter, on_error) : enter();
}

std::vector<std::string> layers_of(SandboxLevel level) {
    switch (level) {
        case SandboxLevel::full:
            return {"rlimits", "seccomp", "user, pid, mount, net, ipc and uts namespaces",
                    "minimal root"};
        case SandboxLevel::restricted:
            return {"rlimits", "seccomp", "Landlock ABI " + std::to_string(landlock_version())};
        case SandboxLevel::none:
            return {"rlimits"};
    }
    return {};
}

std::uint64_t address_space_bytes() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t pages = 0;
    file >> pages;
    return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace atl
