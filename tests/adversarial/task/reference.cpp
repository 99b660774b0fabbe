extern "C" void reference(const float* x, const float* bias, float alpha, double* y, int rows,
                          int cols) {
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (long j = 0; j < cols; ++j) {
            sum += x[i * cols + j];
        }
        for (long j = 0; j < cols; ++j) {
            y[i * cols + j] = double(alpha) * x[i * cols + j] + bias[j] + sum / cols;
        }
    }
}
