// Takes descriptors out of another process.
// expect: forbidden_call
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    syscall(434 /* pidfd_open */, 1, 0);
    row_mean(ROW_MEAN_VALUES);
}
