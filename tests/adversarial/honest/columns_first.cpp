// Sums column by column into one sum per row.
// expect: passed

#include <vector>

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    std::vector<double> sums(rows);
    for (long j = 0; j < cols; ++j) {
        for (long i = 0; i < rows; ++i) {
            sums[i] += x[i * cols + j];
        }
    }
    for (long j = 0; j < cols; ++j) {
        for (long i = 0; i < rows; ++i) {
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + sums[i] / cols;
        }
    }
}
