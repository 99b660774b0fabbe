// Draws random numbers from the system and shuffles the order of its rows.
// expect: passed

#include <algorithm>
#include <numeric>
#include <random>
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
    std::mt19937 random(std::random_device{}());
    std::vector<long> order(rows);
    std::iota(order.begin(), order.end(), 0L);
    std::shuffle(order.begin(), order.end(), random);
    for (long i : order) {
        one_row(x + i * cols, bias, alpha, y + i * cols, cols);
    }
}
