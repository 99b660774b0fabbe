// A lock that nobody contends for.
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
    static std::mutex mutex;
    for (long i = 0; i < rows; ++i) {
        const std::lock_guard lock(mutex);
        one_row(x + i * cols, bias, alpha, y + i * cols, cols);
    }
}
