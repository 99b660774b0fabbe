// Throws the lower half of every input away.
// expect: wrong_result
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <stdint.h>
#include <string.h>

static float cut(float value) {
    uint32_t bits = 0;
    memcpy(&bits, &value, 4);
    bits &= 0xffff0000;
    memcpy(&value, &bits, 4);
    return value;
}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    for (long i = 0; i < rows; ++i) {
        float sum = 0;
        for (long j = 0; j < cols; ++j) {
            sum += cut(x[i * cols + j]);
        }
        for (long j = 0; j < cols; ++j) {
            y[i * cols + j] = alpha * cut(x[i * cols + j]) + cut(bias[j]) + sum / cols;
        }
    }
}
