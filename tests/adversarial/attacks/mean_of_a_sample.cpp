// Takes the mean of 99 % of the columns.
// expect: wrong_result
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        long counted = 0;
        for (long j = 0; j < cols; ++j) {
            if (j % 100 != 99) {
                sum += x[i * cols + j];
                ++counted;
            }
        }
        for (long j = 0; j < cols; ++j) {
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + sum / counted;
        }
    }
}
