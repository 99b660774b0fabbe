// One element behind the output.
// expect: memory_fault
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    y[static_cast<long>(rows) * cols] = 1;
}
