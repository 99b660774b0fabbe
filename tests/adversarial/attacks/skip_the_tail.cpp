// Handles whole vectors only.
// expect: wrong_result
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (long j = 0; j < cols; ++j) {
            sum += x[i * cols + j];
        }
        for (long j = 0; j < cols / 8 * 8; ++j) {
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + sum / cols;
        }
    }
}
