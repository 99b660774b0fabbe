#include "reward/workers/nvrtc_filter.hpp"

#include <signal.h>

#include <cerrno>

namespace atl {

Expected<SyscallFilter> make_nvrtc_filter() {
    constexpr std::uint64_t k_whole_int = 0xffffffff;
    FilterBuilder builder(FilterDefault::enosys);
    // Seen of NVRTC 13.0 (strace), and what the C library may use in their place.
    builder
        .allow({"read",
                "write",
                "pread64",
                "pwrite64",
                "lseek",
                "open",
                "openat",
                "close",
                "stat",
                "lstat",
                "fstat",
                "newfstatat",
                "statx",
                "access",
                "faccessat",
                "faccessat2",
                "readlink",
                "readlinkat",
                "getcwd",
                "unlink",
                "unlinkat",
                "ftruncate",
                "getdents64",
                "fcntl",
                "mmap",
                "munmap",
                "mremap",
                "mprotect",
                "brk",
                "madvise",
                "futex",
                "sched_yield",
                "exit",
                "exit_group",
                "rt_sigaction",
                "rt_sigprocmask",
                "rt_sigreturn",
                "sigaltstack",
                "getpid",
                "gettid",
                "getrusage",
                "getrlimit",
                "times",
                "clock_gettime",
                "clock_getres",
                "gettimeofday",
                "time",
                "uname",
                "sysinfo",
                "getrandom",
                "rseq",
                "sched_getaffinity",
                "set_robust_list",
                "restart_syscall"})
        .allow_if("prlimit64", {{0, k_whole_int, 0}})
        .allow_if("tgkill", {{0, k_whole_int, FilterBuilder::k_own_pid}, {2, k_whole_int, SIGABRT}})
        .refuse({"ioctl"}, ENOTTY);
    return builder.build();
}

}  // namespace atl
