// Measures itself and does nothing with it.
// expect: passed

#include <chrono>

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
    const auto start = std::chrono::steady_clock::now();
    for (long i = 0; i < rows; ++i) {
        one_row(x + i * cols, bias, alpha, y + i * cols, cols);
    }
    static volatile double spent = 0;
    spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
