// The mean as the first element plus the mean distance to it.
// expect: passed

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long i = 0; i < rows; ++i) {
        const double first = x[i * cols];
        double distance = 0;
        for (long j = 1; j < cols; ++j) {
            distance += x[i * cols + j] - first;
        }
        const double mean = first + distance / cols;
        for (long j = 0; j < cols; ++j) {
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + mean;
        }
    }
}
