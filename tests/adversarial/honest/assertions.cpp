// Assertions that hold.
// expect: passed

#include <cassert>

static void one_row(const float* x, const float* bias, float alpha, float* y, long cols) {
    double sum = 0;
    for (long j = 0; j < cols; ++j) {
        sum += x[j];
    }
    for (long j = 0; j < cols; ++j) {
        y[j] = alpha * x[j] + bias[j] + sum / cols;
    }
}

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    assert(rows > 0 && cols > 0);
    for (long i = 0; i < rows; ++i) {
        one_row(x + i * cols, bias, alpha, y + i * cols, cols);
        assert(y[i * cols] == y[i * cols]);
    }
}
