// Writes the even elements of a row before the odd ones.
// expect: passed

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (long j = 0; j < cols; ++j) {
            sum += x[i * cols + j];
        }
        for (long first = 0; first < 2; ++first) {
            for (long j = first; j < cols; j += 2) {
                y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + sum / cols;
            }
        }
    }
}
