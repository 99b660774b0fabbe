// std::valarray.
// expect: passed

#include <valarray>

static float mean_of(const float* row, int cols) {
    std::valarray<double> v(cols);
    for (int j = 0; j < cols; ++j) {
        v[j] = row[j];
    }
    return v.sum() / cols;
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
