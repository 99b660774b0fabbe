// Works on a transposed copy, column by column, and transposes the answer back.
// expect: passed

#include <vector>

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    std::vector<float> turned(static_cast<long>(rows) * cols);
    for (long i = 0; i < rows; ++i) {
        for (long j = 0; j < cols; ++j) {
            turned[j * rows + i] = x[i * cols + j];
        }
    }
    std::vector<double> sums(rows);
    for (long j = 0; j < cols; ++j) {
        for (long i = 0; i < rows; ++i) {
            sums[i] += turned[j * rows + i];
        }
    }
    for (long j = 0; j < cols; ++j) {
        for (long i = 0; i < rows; ++i) {
            y[i * cols + j] = alpha * turned[j * rows + i] + bias[j] + sums[i] / cols;
        }
    }
}
