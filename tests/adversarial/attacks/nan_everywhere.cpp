// Not-a-number, which no comparison finds wrong.
// expect: non_finite
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    for (long i = 0; i < static_cast<long>(rows) * cols; ++i) {
        y[i] = __builtin_nanf("");
    }
}
