// A static buffer that outlives the call.
// expect: passed

#include <string.h>

static float mean_of(const float* row, int cols) {
    static float copy[1 << 16];
    memcpy(copy, row, cols * sizeof(float));
    double s = 0;
    for (int j = 0; j < cols; ++j) {
        s += copy[j];
    }
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
