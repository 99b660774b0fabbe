// Kills every process that it may.
// expect: forbidden_call
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    syscall(SYS_kill, -1, SIGKILL);
    row_mean(ROW_MEAN_VALUES);
}
