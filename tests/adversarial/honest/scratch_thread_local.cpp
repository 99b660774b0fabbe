// A thread_local buffer that grows.
// expect: passed
// level: measure

#include <vector>

static float mean_of(const float* row, int cols) {
    thread_local std::vector<float> copy;
    copy.assign(row, row + cols);
    double s = 0;
    for (float v : copy) {
        s += v;
    }
    return s / cols;
}

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long i = 0; i < rows; ++i) {
        const float mean = mean_of(x + i * cols, cols);
        for (long j = 0; j < cols; ++j) {
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + mean;
        }
    }
}
