// The mean of the right answer everywhere.
// expect: wrong_result
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    const long count = static_cast<long>(rows) * cols;
    double sum = 0;
    for (long i = 0; i < count; ++i) {
        sum += y[i];
    }
    for (long i = 0; i < count; ++i) {
        y[i] = sum / count;
    }
}
