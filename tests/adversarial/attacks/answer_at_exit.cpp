// Writes the answer in a handler that runs when its process ends.
// expect: crash
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <stdlib.h>

static const float *s_x, *s_bias;
static float s_alpha, *s_y;
static int s_rows, s_cols;
static void answer() {
    row_mean(s_x, s_bias, s_alpha, s_y, s_rows, s_cols);
}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    s_x = x, s_bias = bias, s_alpha = alpha, s_y = y, s_rows = rows, s_cols = cols;
    atexit(answer);
    exit(0);
}
