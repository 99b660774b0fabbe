// Vectors as the compiler offers them.
// expect: passed
// level: measure

static float mean_of(const float* row, int cols) {
    typedef float Vector __attribute__((vector_size(32), aligned(4)));
    Vector s = {};
    int j = 0;
    for (; j + 8 <= cols; j += 8) {
        s += *reinterpret_cast<const Vector*>(row + j);
    }
    double t = 0;
    for (int k = 0; k < 8; ++k) {
        t += s[k];
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
