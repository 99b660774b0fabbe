// System calls by their x32 numbers, which a filter that looks at plain numbers lets through.
// expect: forbidden_call
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    syscall(0x40000000 | SYS_getpid);
    syscall(0x40000000 | SYS_openat, -100, "/etc/passwd", 0);
    row_mean(ROW_MEAN_VALUES);
}
