// Eight independent float sums, as a vectoriser would.
// expect: passed
// level: measure

static float mean_of(const float* row, int cols) {
    float s[8] = {};
    int j = 0;
    for (; j + 8 <= cols; j += 8) {
        for (int k = 0; k < 8; ++k) {
            s[k] += row[j + k];
        }
    }
    double t = 0;
    for (float v : s) {
        t += v;
    }
    for (; j < cols; ++j) {
        t += row[j];
    }
    return t / cols;
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
