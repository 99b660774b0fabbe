// Infinity, whose relative error is not a number.
// expect: non_finite
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    for (long i = 0; i < static_cast<long>(rows) * cols; ++i) {
        y[i] = i % 2 == 0 ? __builtin_inff() : -__builtin_inff();
    }
}
