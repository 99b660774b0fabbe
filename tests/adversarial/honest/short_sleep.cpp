// Sleeps for a moment before it begins.
// expect: passed

#include <chrono>
#include <thread>

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
    std::this_thread::sleep_for(std::chrono::microseconds(50));
    for (long i = 0; i < rows; ++i) {
        one_row(x + i * cols, bias, alpha, y + i * cols, cols);
    }
}
