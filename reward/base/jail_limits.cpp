#include "reward/base/jail_limits.hpp"

#include "reward/base/files.hpp"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace atl {

namespace {

constexpr uid_t k_nobody = 65534;

/// Sets soft and hard limit, never above the present hard limit.
Status set_limit(__rlimit_resource resource, const char* name, std::uint64_t soft,
                 std::uint64_t hard) {
    rlimit present{};
    if (::getrlimit(resource, &present) != 0) {
        return tl::unexpected(errno_error("getrlimit", name, errno));
    }
    const rlimit wanted{std::min<rlim_t>(soft, present.rlim_max),
                        std::min<rlim_t>(hard, present.rlim_max)};
    if (::setrlimit(resource, &wanted) != 0) {
        return tl::unexpected(errno_error("setrlimit", name, errno));
    }
    return {};
}

Status set_if(__rlimit_resource resource, const char* name,
              const std::optional<std::uint64_t>& value) {
    return value ? set_limit(resource, name, *value, *value) : Status{};
}

}  // namespace

Status apply_limits(const JailLimits& limits) {
    ATOLL_TRY(set_limit(RLIMIT_CORE, "RLIMIT_CORE", 0, 0));
    if (limits.cpu_seconds) {
        ATOLL_TRY(
            set_limit(RLIMIT_CPU, "RLIMIT_CPU", *limits.cpu_seconds, *limits.cpu_seconds + 1));
    }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their shadows are terabytes
    ATOLL_TRY(set_if(RLIMIT_AS, "RLIMIT_AS", limits.address_space_bytes));
#endif
    ATOLL_TRY(set_if(RLIMIT_FSIZE, "RLIMIT_FSIZE", limits.file_bytes));
    ATOLL_TRY(set_if(RLIMIT_NOFILE, "RLIMIT_NOFILE", limits.open_files));
    ATOLL_TRY(set_if(RLIMIT_NPROC, "RLIMIT_NPROC", limits.processes));
    return {};
}

Status drop_privilege_paths() {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return tl::unexpected(errno_error("prctl(PR_SET_NO_NEW_PRIVS)", "sandbox", errno));
    }
    if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return tl::unexpected(errno_error("prctl(PR_SET_DUMPABLE)", "sandbox", errno));
    }
    return {};
}

Status leave_root_user() {
    if (::geteuid() != 0) {
        return {};
    }
    if (::setgroups(0, nullptr) != 0 || ::setresgid(k_nobody, k_nobody, k_nobody) != 0 ||
        ::setresuid(k_nobody, k_nobody, k_nobody) != 0) {
        return tl::unexpected(errno_error("setresuid", "sandbox", errno));
    }
    // Changing users hides /proc/self from us, but the id maps of a namespace are written there.
    if (::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) {
        return tl::unexpected(errno_error("prctl(PR_SET_DUMPABLE)", "sandbox", errno));
    }
    return {};
}

Status die_with_parent(int parent) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
        return tl::unexpected(errno_error("prctl(PR_SET_PDEATHSIG)", "sandbox", errno));
    }
    if (::getppid() != parent) {
        return failure(ErrorCode::unavailable, "the parent process has gone");
    }
    return {};
}

Status silence_standard_streams() {
    const FileHandle null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (int stream = 0; stream <= 2; ++stream) {
        if (!null || ::dup2(null.get(), stream) < 0) {
            return tl::unexpected(errno_error("open", "/dev/null", errno));
        }
    }
    return {};
}

}  // namespace atl
