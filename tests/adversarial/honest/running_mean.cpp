// Updates the mean element by element.
// expect: passed

static float mean_of(const float* row, int cols) {
    double m = 0;
    for (int j = 0; j < cols; ++j) {
        m += (row[j] - m) / (j + 1);
    }
    return m;
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
