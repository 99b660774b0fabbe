// Neumaier summation in float.
// expect: passed

static float mean_of(const float* row, int cols) {
    float s = 0;
    float c = 0;
    for (int j = 0; j < cols; ++j) {
        const float t = s + row[j];
        c += __builtin_fabsf(s) >= __builtin_fabsf(row[j]) ? (s - t) + row[j] : (row[j] - t) + s;
        s = t;
    }
    return (s + c) / cols;
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
