// Touches 64 MiB of heap once and keeps them.
// expect: passed

#include <vector>

static std::vector<char> much;

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    if (much.empty()) {
        much.assign(64 << 20, 1);
    }
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (long j = 0; j < cols; ++j) {
            sum += x[i * cols + j] * much[i];
        }
        for (long j = 0; j < cols; ++j) {
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + sum / cols;
        }
    }
}
