// One element behind an input.
// expect: memory_fault
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    const_cast<float*>(bias)[cols] = 1;
}
