// Asks how many threads make sense.
// expect: passed

#include <algorithm>
#include <thread>
#include <vector>

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
    const unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1U, 4U);
    std::vector<std::thread> all;
    for (unsigned t = 0; t < threads; ++t) {
        all.emplace_back([=] {
            for (long i = t; i < rows; i += threads) {
                one_row(x + i * cols, bias, alpha, y + i * cols, cols);
            }
        });
    }
    for (std::thread& thread : all) {
        thread.join();
    }
}
