// Flushes denormals for a while.
// expect: passed

static float mean_of(const float* row, int cols) {
#if defined(__SSE2__)
    const unsigned before = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(before | 0x8040);
#endif
    double s = 0;
    for (int j = 0; j < cols; ++j) {
        s += row[j];
    }
#if defined(__SSE2__)
    __builtin_ia32_ldmxcsr(before);
#endif
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
