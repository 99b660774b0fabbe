// Takes row sums as differences of prefix sums of the whole matrix, compensated.
// expect: passed

#include <vector>

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    std::vector<long double> until(rows + 1);
    long double sum = 0;
    for (long i = 0; i < rows; ++i) {
        for (long j = 0; j < cols; ++j) {
            sum += x[i * cols + j];
        }
        until[i + 1] = sum;
    }
    for (long i = 0; i < rows; ++i) {
        const float mean = (until[i + 1] - until[i]) / cols;
        for (long j = 0; j < cols; ++j) {
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + mean;
        }
    }
}
