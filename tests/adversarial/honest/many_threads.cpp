// Sixteen threads that take rows from a counter.
// expect: passed

#include <atomic>
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
    std::atomic<long> next{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 16; ++t) {
        threads.emplace_back([&] {
            for (long i = next++; i < rows; i = next++) {
                one_row(x + i * cols, bias, alpha, y + i * cols, cols);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}
