// Initialises on first use.
// expect: passed

#include <mutex>

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
    static std::once_flag once;
    static double one = 0;
    std::call_once(once, [] { one = 1; });
    for (long i = 0; i < rows; ++i) {
        one_row(x + i * cols, bias, alpha * one, y + i * cols, cols);
    }
}
