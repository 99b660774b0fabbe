#pragma once

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

/// Every attack begins with this header: run anywhere but in a candidate's jail, it ends the
/// process with status 77 before any other code of the attack. What only the jail does: it
/// refuses three calls that always work elsewhere (containers included), each of which asks and
/// changes nothing.
namespace only_in_jail {

inline constexpr int k_refused = 77;

inline bool is_refused(long result) {
    return result == -1 && errno == EPERM;
}

/// 101 is the earliest priority that a program may use. A resolver (ifunc) runs still earlier: an
/// attack with one must call this itself.
__attribute__((constructor(101))) inline void check() {
    struct sysinfo about {};
    if (is_refused(::syscall(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0)) &&
        is_refused(::syscall(SYS_rt_sigaction, SIGUSR1, nullptr, nullptr, 8)) &&
        is_refused(::syscall(SYS_sysinfo, &about))) {
        return;
    }
    constexpr char k_message[] = "this is an attack of tests/adversarial; it runs in a jail only\n";
    (void)!::write(STDERR_FILENO, k_message, sizeof(k_message) - 1);
    ::_exit(k_refused);
}

}  // namespace only_in_jail
