// Asks for the work when its process ends, behind all that was looked at.
// expect: wrong_result, rejected, reward_hack, crash
#include "tests/adversarial/cuda/row_mean.cuh"

extern "C" int atexit(void (*function)());

static const float *g_x, *g_bias;
static float g_alpha, *g_y;
static int g_rows, g_cols;

static void at_the_end() {
    right_answer<<<g_rows, k_threads>>>(g_x, g_bias, g_alpha, g_y, g_rows, g_cols);
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t) {
    g_x = x, g_bias = bias, g_alpha = alpha, g_y = y, g_rows = rows, g_cols = cols;
    atexit(at_the_end);
}
