// Unrolls with a template that calls itself.
// expect: passed

template <int N>
struct Sum {
    static double of(const float* v) { return Sum<N / 2>::of(v) + Sum<N / 2>::of(v + N / 2); }
};
template <>
struct Sum<1> {
    static double of(const float* v) { return *v; }
};

static float mean_of(const float* row, int cols) {
    double s = 0;
    int j = 0;
    for (; j + 16 <= cols; j += 16) {
        s += Sum<16>::of(row + j);
    }
    for (; j < cols; ++j) {
        s += row[j];
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
