// Promises that nothing overlaps.
// expect: passed
// level: measure

static void work(const float* __restrict__ x, const float* __restrict__ bias, float alpha,
                 float* __restrict__ y, int rows, int cols) {
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (long j = 0; j < cols; ++j) {
            sum += x[i * cols + j];
        }
        for (long j = 0; j < cols; ++j) {
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + sum / cols;
        }
    }
}

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    work(x, bias, alpha, y, rows, cols);
}
