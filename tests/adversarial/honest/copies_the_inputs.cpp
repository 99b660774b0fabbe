// Copies all inputs to its own memory and works there.
// expect: passed
// level: measure

#include <vector>

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    const std::vector<float> own_x(x, x + static_cast<long>(rows) * cols);
    const std::vector<float> own_bias(bias, bias + cols);
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (long j = 0; j < cols; ++j) {
            sum += own_x[i * cols + j];
        }
        for (long j = 0; j < cols; ++j) {
            y[i * cols + j] = alpha * own_x[i * cols + j] + own_bias[j] + sum / cols;
        }
    }
}
