// Vectors that begin one element too late.
// expect: passed

static float mean_of(const float* row, int cols) {
    typedef double Vector __attribute__((vector_size(16), aligned(4)));
    Vector s = {};
    double t = row[0];
    int j = 1;
    for (; j + 2 <= cols; j += 2) {
        s += Vector{row[j], row[j + 1]};
    }
    for (; j < cols; ++j) {
        t += row[j];
    }
    return (t + s[0] + s[1]) / cols;
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
