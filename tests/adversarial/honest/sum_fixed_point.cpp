// Sums integers scaled by 2^20.
// expect: passed

static float mean_of(const float* row, int cols) {
    __int128 s = 0;
    for (int j = 0; j < cols; ++j) {
        s += static_cast<__int128>(double(row[j]) * (1 << 20) * 4096);
    }
    return static_cast<double>(s) / 4096 / (1 << 20) / cols;
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
