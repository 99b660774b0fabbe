// A user namespace of its own, in which it would be root.
// expect: forbidden_call
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */);
    row_mean(ROW_MEAN_VALUES);
}
