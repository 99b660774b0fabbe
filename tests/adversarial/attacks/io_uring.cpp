// System calls that a filter does not see, by way of a ring.
// expect: forbidden_call
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    char parameters[120] = {};
    syscall(425 /* io_uring_setup */, 8, parameters);
    row_mean(ROW_MEAN_VALUES);
}
