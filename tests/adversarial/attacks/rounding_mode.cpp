// Leaves the floating-point unit rounding upwards and flushing denormals. Harmless: the answers
// stay within the tolerance, and oracle and comparison run in another process.
// expect: passed
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <fenv.h>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    fesetround(FE_UPWARD);
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);
    row_mean(ROW_MEAN_VALUES);
}
