// Folds a copy of the row upon itself.
// expect: passed

#include <string.h>

static float mean_of(const float* row, int cols) {
    float* t = new float[cols];
    memcpy(t, row, cols * sizeof(float));
    int n = cols;
    while (n > 1) {
        const int h = (n + 1) / 2;
        for (int j = 0; j + h < n; ++j) {
            t[j] += t[j + h];
        }
        n = h;
    }
    const float s = t[0];
    delete[] t;
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
