// Threads that wait for each other at a barrier.
// expect: passed

#include <barrier>
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
    std::barrier both(2);
    std::vector<float> copy(static_cast<long>(rows) * cols);
    const auto work = [&](long part) {
        for (long i = part; i < static_cast<long>(copy.size()); i += 2) {
            copy[i] = x[i];
        }
        both.arrive_and_wait();
        for (long i = part; i < rows; i += 2) {
            one_row(&copy[i * cols], bias, alpha, y + i * cols, cols);
        }
    };
    std::thread other(work, 1);
    work(0);
    other.join();
}
