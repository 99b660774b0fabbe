// Sends the one signal that it may send itself to the process that forked it (1 in its
// namespace) instead.
// expect: forbidden_call
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    syscall(SYS_tgkill, 1, 1, SIGABRT);
    row_mean(ROW_MEAN_VALUES);
}
