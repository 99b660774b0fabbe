// A stack without end.
// expect: memory_fault, memory_limit
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

static int deeper(volatile char* above) {
    volatile char here[4096];
    here[0] = *above;
    return deeper(here) + here[0];
}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    volatile char first = 1;
    y[0] = deeper(&first);
}
