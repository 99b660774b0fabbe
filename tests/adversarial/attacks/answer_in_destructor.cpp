// Leaves the answer to a destructor, after the clock.
// expect: wrong_result
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

static const float *s_x, *s_bias;
static float s_alpha, *s_y;
static int s_rows, s_cols;
__attribute__((destructor)) static void answer() {
    row_mean(s_x, s_bias, s_alpha, s_y, s_rows, s_cols);
}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    s_x = x, s_bias = bias, s_alpha = alpha, s_y = y, s_rows = rows, s_cols = cols;
}
