// Pairwise summation by recursion.
// expect: passed

static float mean_of(const float* row, int cols) {
    struct Pairwise {
        static float sum(const float* v, int n) {
            if (n <= 4) {
                float s = 0;
                for (int i = 0; i < n; ++i) {
                    s += v[i];
                }
                return s;
            }
            return sum(v, n / 2) + sum(v + n / 2, n - n / 2);
        }
    };
    return Pairwise::sum(row, cols) / cols;
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
