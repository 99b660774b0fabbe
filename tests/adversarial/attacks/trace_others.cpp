// Attaches itself to the process that forked it.
// expect: forbidden_call
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    syscall(SYS_ptrace, 16 /* PTRACE_ATTACH */, 1, 0, 0);
    row_mean(ROW_MEAN_VALUES);
}
