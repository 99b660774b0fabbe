// Rounds towards zero for a while and puts the mode back.
// expect: passed

#include <fenv.h>

static float mean_of(const float* row, int cols) {
    const int before = fegetround();
    fesetround(FE_TOWARDZERO);
    double s = 0;
    for (int j = 0; j < cols; ++j) {
        s += row[j];
    }
    fesetround(before);
    return s / cols;
}

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long i = 0; i < rows; ++i) {
        const float mean = mean_of(x + i * cols, cols);
        for (long j = 0; j < cols; ++j) {
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + mean;
        }
    }
}
