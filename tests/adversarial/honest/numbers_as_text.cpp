// Prints every number and reads it back.
// expect: passed

#include <stdio.h>
#include <stdlib.h>

static float mean_of(const float* row, int cols) {
    double s = 0;
    for (int j = 0; j < cols; ++j) {
        char text[64];
        snprintf(text, sizeof(text), "%.9g", row[j]);
        s += strtod(text, nullptr);
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
