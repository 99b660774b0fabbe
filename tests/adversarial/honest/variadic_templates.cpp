// Dispatches to a compile-time number of columns.
// expect: passed

template <int... N>
struct Dispatch {
    template <class F>
    static bool run(int cols, F&& f) {
        return ((cols == N && (f.template operator()<N>(), true)) || ...);
    }
};

template <int N>
static void fixed(const float* x, const float* bias, float alpha, float* y, int rows) {
    constexpr int cols = N;
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
    const bool done =
        Dispatch<17, 31, 512, 1000>::run(cols, [&]<int N> { fixed<N>(x, bias, alpha, y, rows); });
    if (!done) {
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
}
