// Eight megabytes of zeros and a table filled in by a constructor.
// expect: passed

static float zeros[2 << 20];
static float ones[1024];
__attribute__((constructor)) static void fill() {
    for (float& one : ones) {
        one = 1;
    }
}

static float mean_of(const float* row, int cols) {
    double s = 0;
    for (int j = 0; j < cols; ++j) {
        s += row[j] * ones[j % 1024] + zeros[j];
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
