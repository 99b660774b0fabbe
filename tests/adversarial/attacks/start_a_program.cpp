// Becomes a shell.
// expect: forbidden_call
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    char* const arguments[] = {nullptr};
    execve("/bin/sh", arguments, arguments);
    row_mean(ROW_MEAN_VALUES);
}
