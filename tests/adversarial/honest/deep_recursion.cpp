// One call per column.
// expect: passed

static float mean_of(const float* row, int cols) {
    struct Deep {
        static double sum(const float* v, int n) {
            volatile double here = v[0];
            return n == 1 ? here : here + sum(v + 1, n - 1);
        }
    };
    return Deep::sum(row, cols) / cols;
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
