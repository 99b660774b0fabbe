#include "reward/workers/compile_filter.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>

#include <cerrno>

namespace atl {

namespace {

constexpr std::uint64_t k_new_namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                           CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                           CLONE_NEWNET;
constexpr std::uint64_t k_whole_int = 0xffffffff;

void allow_files(FilterBuilder& builder) {
    builder.allow({"read",
                   "write",
                   "readv",
                   "writev",
                   "pread64",
                   "pwrite64",
                   "open",
                   "openat",
                   "close",
                   "close_range",
                   "stat",
                   "lstat",
                   "fstat",
                   "newfstatat",
                   "statx",
                   "access",
                   "faccessat",
                   "faccessat2",
                   "lseek",
                   "fcntl",
                   "dup",
                   "dup2",
                   "dup3",
                   "pipe",
                   "pipe2",
                   "poll",
                   "ppoll",
                   "select",
                   "pselect6",
                   "getcwd",
                   "chdir",
                   "readlink",
                   "readlinkat",
                   "unlink",
                   "unlinkat",
                   "rename",
                   "renameat",
                   "renameat2",
                   "mkdir",
                   "mkdirat",
                   "rmdir",
                   "chmod",
                   "fchmod",
                   "fchmodat",
                   "umask",
                   "ftruncate",
                   "fallocate",
                   "fadvise64",
                   "getdents64",
                   "fsync",
                   "utimensat",
                   "sendfile",
                   "copy_file_range",
                   "statfs",
                   "fstatfs"});
}

void allow_memory_and_processes(FilterBuilder& builder) {
    builder
        .allow({"mmap",
                "munmap",
                "mremap",
                "mprotect",
                "brk",
                "madvise",
                "fork",
                "vfork",
                "execve",
                "exit",
                "exit_group",
                "wait4",
                "waitid",
                "arch_prctl",
                "set_tid_address",
                "set_robust_list",
                "rseq",
                "futex",
                "rt_sigaction",
                "rt_sigprocmask",
                "rt_sigreturn",
                "sigaltstack",
                "getpid",
                "getppid",
                "gettid",
                "getuid",
                "geteuid",
                "getgid",
                "getegid",
                "getpgrp",
                "getrusage",
                "getrlimit",
                "times",
                "clock_gettime",
                "clock_getres",
                "clock_nanosleep",
                "nanosleep",
                "gettimeofday",
                "time",
                "uname",
                "sysinfo",
                "getrandom",
                "sched_yield",
                "sched_getaffinity",
                "restart_syscall"})
        .allow_if("clone", {{0, k_new_namespaces, 0}})
        // (Not clone3: its flags lie in memory, where a filter cannot see them.)
        .allow_if("prlimit64", {{0, k_whole_int, 0}})
        // abort(); at level restricted other processes of this user are within reach of signals.
        .allow_if("tgkill", {{2, k_whole_int, SIGABRT}})
        .refuse({"kill", "tkill", "prctl", "setpgid", "setsid", "setrlimit"}, EPERM)
        .refuse({"ioctl"}, ENOTTY);
}

/// What reaches beyond any compiler's jail.
void kill_escapes(FilterBuilder& builder) {
    builder.kill({"socket",
                  "socketpair",
                  "connect",
                  "bind",
                  "ptrace",
                  "process_vm_readv",
                  "process_vm_writev",
                  "pidfd_getfd",
                  "io_uring_setup",
                  "mount",
                  "umount2",
                  "move_mount",
                  "open_tree",
                  "fsopen",
                  "pivot_root",
                  "chroot",
                  "unshare",
                  "setns",
                  "bpf",
                  "perf_event_open",
                  "keyctl",
                  "add_key",
                  "request_key",
                  "userfaultfd",
                  "memfd_create",
                  "open_by_handle_at",
                  "init_module",
                  "finit_module",
                  "kexec_load",
                  "reboot",
                  "swapon",
                  "setuid",
                  "setgid",
                  "setresuid",
                  "setresgid",
                  "personality",
                  "shmget",
                  "msgget",
                  "semget"});
}

}  // namespace

Expected<SyscallFilter> make_compile_filter() {
    FilterBuilder builder(FilterDefault::enosys);
    allow_files(builder);
    allow_memory_and_processes(builder);
    kill_escapes(builder);
    return builder.build();
}

Expected<SyscallFilter> make_warm_filter() {
    constexpr std::uint64_t k_read_only = O_ACCMODE | O_CREAT | O_TRUNC;
    FilterBuilder builder(FilterDefault::enosys);
    builder
        .allow({"read",
                "readv",
                "pread64",
                "write",
                "writev",
                "pwrite64",
                "lseek",
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
                "getdents64",
                "fcntl",
                "fadvise64",
                "ftruncate",
                "mmap",
                "munmap",
                "mremap",
                "mprotect",
                "brk",
                "madvise",
                "futex",
                "exit",
                "exit_group",
                "arch_prctl",
                "set_robust_list",
                "rseq",
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
                "sched_yield",
                "sched_getaffinity",
                "restart_syscall"})
        .allow_if("open", {{1, k_read_only, O_RDONLY}})
        .allow_if("openat", {{2, k_read_only, O_RDONLY}})
        // Threads only: a new process would not be in our hands.
        .allow_if("clone", {{0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM}})
        .allow_if("prlimit64", {{2, ~0ull, 0}})
        .allow_if("tgkill", {{0, k_whole_int, FilterBuilder::k_own_pid}, {2, k_whole_int, SIGABRT}})
        .refuse({"kill", "tkill", "prctl", "setpgid", "setsid", "setrlimit", "fork", "vfork",
                 "execve", "unlink", "unlinkat", "rename", "mkdir"},
                EPERM)
        .refuse({"ioctl"}, ENOTTY);
    kill_escapes(builder);
    return builder.build();
}

}  // namespace atl
