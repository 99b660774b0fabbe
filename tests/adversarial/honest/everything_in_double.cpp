// Computes all of it in double.
// expect: passed
// level: confirm

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (long j = 0; j < cols; ++j) {
            sum += x[i * cols + j];
        }
        for (long j = 0; j < cols; ++j) {
            const double value =
                static_cast<double>(alpha) * x[i * cols + j] + bias[j] + sum / cols;
            y[i * cols + j] = static_cast<float>(value);
        }
    }
}
