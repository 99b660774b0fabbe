// Sums blocks of 64, then the sums of blocks.
// expect: passed

static float mean_of(const float* row, int cols) {
    double s = 0;
    for (int b = 0; b < cols; b += 64) {
        float t = 0;
        for (int j = b; j < b + 64 && j < cols; ++j) {
            t += row[j];
        }
        s += t;
    }
    return s / cols;
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
