// Visits each row by a table of indices that a generator with a fixed seed shuffled.
// expect: passed

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    std::vector<int> order(cols);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), std::mt19937(7));
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (const int j : order) {
            sum += x[i * cols + j];
        }
        for (const int j : order) {
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + sum / cols;
        }
    }
}
