// Computes the mean of the row for every element anew.
// expect: passed

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long i = 0; i < rows; ++i) {
        for (long j = 0; j < cols; ++j) {
            double sum = 0;
            for (long k = 0; k < cols; ++k) {
                sum += x[i * cols + k];
            }
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + sum / cols;
        }
    }
}
