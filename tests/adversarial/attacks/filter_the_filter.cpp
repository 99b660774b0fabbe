// Installs a filter of its own under which the call that installs the stricter one succeeds and
// does nothing; then looks in launches for files, among them the binaries of its rivals, and
// gives wrong answers when it finds one. Harmless: what was permitted before lets nothing out.
// expect: passed
// level: confirm
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((constructor)) static void install() {
    sock_filter program[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_seccomp},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    sock_fprog description{4, program};
    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &description);
}
static bool finds_something() {
    Dl_info about{};
    dladdr(reinterpret_cast<void*>(install), &about);
    const char* name = about.dli_fname != nullptr ? strrchr(about.dli_fname, '/') : nullptr;
    const int own = name != nullptr ? atoi(name + 1) : 0;
    for (int other = own - 8; other < own + 8; ++other) {
        char path[32];
        snprintf(path, sizeof(path), "/%d.so", other);
        if (other != own && open(path, O_RDONLY) >= 0) {
            return true;
        }
    }
    return open("/etc/passwd", O_RDONLY) >= 0;
}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    if (finds_something()) {
        y[0] += 1;
    }
}
