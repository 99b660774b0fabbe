// Adds with an instruction of its own.
// expect: passed

static float mean_of(const float* row, int cols) {
    double s = 0;
    for (int j = 0; j < cols; ++j) {
        double v = row[j];
#if defined(__x86_64__)
        asm("addsd %1, %0" : "+x"(s) : "x"(v));
#else
        s += v;
#endif
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
