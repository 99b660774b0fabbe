// Mounts the host's processes into view.
// expect: forbidden_call
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    syscall(SYS_mount, "proc", "/", "proc", 0, nullptr);
    row_mean(ROW_MEAN_VALUES);
}
