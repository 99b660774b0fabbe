#include "reward/workers/run_filters.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>

#include <cerrno>

namespace atl {

namespace {

constexpr std::uint64_t k_whole = ~0ull;
/// Of open()'s flags, those that must be zero to do no more than look at what is there.
constexpr std::uint64_t k_read_only = O_ACCMODE | O_CREAT | O_TRUNC;
constexpr std::uint64_t k_whole_int = 0xffffffff;

void allow_memory_threads_and_clocks(FilterBuilder& builder) {
    builder
        .allow({"munmap",
                "mremap",
                "brk",
                "madvise",
                "futex",
                "clock_gettime",
                "clock_getres",
                "gettimeofday",
                "time",
                "nanosleep",
                "clock_nanosleep",
                "getcpu",
                "sched_yield",
                "sched_getaffinity",
                "rt_sigprocmask",
                "rt_sigreturn",
                "sigaltstack",
                "getpid",
                "gettid",
                "getrandom",
                "set_robust_list",
                "rseq",
                "exit",
                "exit_group",
                "restart_syscall"})
        // Threads only: a new process would not be in our hands.
        .allow_if("clone", {{0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM}})
        // Its flags lie in memory, where a filter cannot see them; libc falls back to clone.
        .refuse({"clone3"}, ENOSYS)
        // abort() signals itself; nobody else may be signalled.
        .allow_if("tgkill", {{0, k_whole_int, FilterBuilder::k_own_pid}, {2, k_whole_int, SIGABRT}})
        // Asking for a limit (the size of the stack) is fine, setting one is not.
        .allow_if("prlimit64", {{2, k_whole, 0}})
        // Messages of assert() and printf(): both streams are /dev/null.
        .allow_if("write", {{0, k_whole_int, 1}})
        .allow_if("write", {{0, k_whole_int, 2}})
        .allow_if("writev", {{0, k_whole_int, 1}})
        .allow_if("writev", {{0, k_whole_int, 2}})
        .refuse({"ioctl"}, ENOTTY)
        // A handler for SIGSEGV would hide accesses beyond the buffers.
        .refuse({"rt_sigaction", "sched_setaffinity", "prctl", "sysinfo", "get_mempolicy",
                 "set_mempolicy", "mbind"},
                EPERM)
        .refuse({"set_tid_address", "membarrier"}, ENOSYS);
}

Expected<SyscallFilter> make_load_filter() {
    FilterBuilder builder(FilterDefault::trap);
    allow_memory_threads_and_clocks(builder);
    builder.allow({"mmap", "mprotect", "read", "pread64", "lseek", "close", "fstat", "newfstatat"})
        .allow_if("openat", {{2, k_read_only, O_RDONLY}})
        .allow_if("seccomp", {{0, k_whole_int, SECCOMP_SET_MODE_FILTER}, {1, k_whole, 0}})
        .refuse({"readlink", "readlinkat", "access", "faccessat", "faccessat2"}, ENOENT);
    return builder.build();
}

Expected<SyscallFilter> make_run_filter() {
    FilterBuilder builder(FilterDefault::trap);
    allow_memory_threads_and_clocks(builder);
    builder.allow_if("mmap", {{2, PROT_EXEC, 0}})
        .allow_if("mprotect", {{2, PROT_EXEC, 0}})
        // libc looks for the number of cores in a file, and does without.
        .refuse_if("openat", {{2, k_read_only, O_RDONLY}}, ENOENT)
        // stdio asks what its stream is, and takes a default when told nothing.
        .refuse({"fstat", "newfstatat", "lseek", "close"}, EBADF);
    return builder.build();
}

}  // namespace

Expected<RunFilters> make_run_filters() {
    RunFilters filters;
    ATOLL_TRY_ASSIGN(filters.load, make_load_filter());
    ATOLL_TRY_ASSIGN(filters.run, make_run_filter());
    return filters;
}

}  // namespace atl
