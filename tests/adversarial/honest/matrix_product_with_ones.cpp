// Takes means by multiplying with a matrix of ones.
// expect: passed
// level: confirm

#include <numeric>
#include <vector>

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    const std::vector<double> ones(cols, 1.0 / cols);
    std::vector<double> means(rows);
    for (long i = 0; i < rows; ++i) {
        means[i] = std::inner_product(x + i * cols, x + (i + 1) * cols, ones.begin(), 0.0);
    }
    for (long at = 0; at < static_cast<long>(rows) * cols; ++at) {
        y[at] = alpha * x[at] + bias[at % cols] + means[at / cols];
    }
}
