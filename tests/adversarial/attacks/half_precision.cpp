// Computes in 16 bits what is to be computed in 32.
// expect: wrong_result, non_finite
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    for (long i = 0; i < rows; ++i) {
        float sum = 0;
        for (long j = 0; j < cols; ++j) {
            sum += static_cast<_Float16>(x[i * cols + j]);
        }
        const float mean = sum / cols;
        for (long j = 0; j < cols; ++j) {
            y[i * cols + j] = static_cast<_Float16>(alpha * x[i * cols + j] + bias[j] + mean);
        }
    }
}
