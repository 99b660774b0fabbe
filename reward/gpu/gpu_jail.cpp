#include "reward/gpu/gpu_jail.hpp"

#include "reward/base/files.hpp"
#include "reward/base/jail_landlock.hpp"
#include "reward/base/jail_limits.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace atl {

namespace {

/// Of open()'s flags, those that change a folder or a file by themselves.
constexpr std::uint64_t k_makes_files = O_CREAT | O_TRUNC;

/// Numbers of NVIDIA's ioctl()s: those of its devices have type 'F', those of its unified memory
/// are small and have none. A terminal's, a disk's and a socket's are others.
constexpr std::uint64_t k_ioctl_type = 0xff00;
constexpr std::uint64_t k_ioctl_of_device = 'F' << 8;
constexpr std::uint64_t k_ioctl_of_memory = 0;
constexpr std::uint64_t k_ioctl_number = 0xffffff00;

LandlockRules files_of_gpu() {
    LandlockRules rules;
    rules.readable = {"/"};
    rules.devices = {"/dev/null"};
    std::error_code error;
    for (std::filesystem::directory_iterator entry("/dev", error), end; !error && entry != end;
         entry.increment(error)) {
        if (entry->path().filename().string().starts_with("nvidia")) {
            rules.drivers.push_back(entry->path());
        }
    }
    return rules;
}

/// An empty network of its own: root may have one, others would need a user namespace besides.
bool leave_network() {
    return ::unshare(CLONE_NEWNET) == 0;
}

void allow_work(FilterBuilder& builder) {
    builder
        .allow({"munmap", "mremap", "brk", "madvise"})
        // Code is loaded onto the device, never into this process.
        .allow_if("mmap", {{2, PROT_EXEC, 0}})
        .allow_if("mprotect", {{2, PROT_EXEC, 0}})
        .allow({"futex", "sched_yield", "set_robust_list", "rseq", "exit", "exit_group",
                "rt_sigprocmask", "rt_sigreturn", "restart_syscall", "sigaltstack", "getpid",
                "gettid", "getcpu", "sched_getaffinity", "getrandom"})
        .allow({"clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday"})
        // Threads, never a process. Of clone3 nothing can be seen; libc falls back to clone.
        .allow_if("clone", {{0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM}})
        // On what is open: the channels, the devices, files that came over a channel.
        .allow({"read", "write", "pread64", "lseek", "close", "fstat", "fcntl", "dup", "poll",
                "ppoll", "recvmsg", "sendmsg"})
        .allow_if("ioctl", {{1, k_ioctl_type, k_ioctl_of_device}})
        .allow_if("ioctl", {{1, k_ioctl_number, k_ioctl_of_memory}});
}

void refuse_attacks(FilterBuilder& builder) {
    builder.refuse({"execve",
                    "execveat",
                    "fork",
                    "vfork",
                    "ptrace",
                    "process_vm_readv",
                    "process_vm_writev",
                    "socket",
                    "socketpair",
                    "connect",
                    "bind",
                    "listen",
                    "kill",
                    "tkill",
                    "mount",
                    "unshare",
                    "setns",
                    "bpf",
                    "io_uring_setup",
                    "userfaultfd",
                    "perf_event_open"},
                   EPERM);
}

/// NVML and CUPTI's counters open the device once more. Landlock keeps all other files from being
/// written.
void allow_devices(FilterBuilder& builder) {
    builder.allow_if("openat", {{2, k_makes_files, 0}}).allow({"stat", "newfstatat", "readlink"});
}

void allow_reading(FilterBuilder& builder) {
    builder.allow({"memfd_create", "ftruncate", "statx", "getdents64", "readlinkat", "access",
                   "faccessat", "faccessat2", "getcwd"});
}

}  // namespace

Expected<SyscallFilter> gpu_filter(GpuRole role) {
    FilterBuilder builder(FilterDefault::enosys);
    allow_work(builder);
    allow_devices(builder);
    if (role == GpuRole::verifier) {
        allow_reading(builder);
    } else {
        builder.refuse({"memfd_create"}, EPERM);
    }
    refuse_attacks(builder);
    return builder.build();
}

Status enter_gpu_jail(GpuJail& jail) {
    ATOLL_TRY(silence_standard_streams());  // a kernel's printf() writes there
    ATOLL_TRY(drop_privilege_paths());
    ATOLL_TRY(apply_limits({}));  // no core dumps: they would hold a device's memory
    jail.layers.emplace_back("rlimits");
    if (leave_network()) {
        jail.layers.emplace_back("no network");
    }
    return {};
}

Status close_gpu_jail(GpuRole role, GpuJail& jail) {
    const int version = landlock_version();
    if (version > 0) {
        ATOLL_TRY(apply_landlock(files_of_gpu()));
        jail.layers.push_back("Landlock ABI " + std::to_string(version));
    }
    if (!SyscallFilter::supported()) {
        return {};
    }
    ATOLL_TRY_ASSIGN(const SyscallFilter filter, gpu_filter(role));
    ATOLL_TRY(filter.apply_to_all_threads());
    jail.layers.emplace_back("seccomp");
    jail.level = version > 0 ? SandboxLevel::restricted : SandboxLevel::none;
    return {};
}

}  // namespace atl
