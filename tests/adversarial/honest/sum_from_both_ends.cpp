// Sums from both ends to the middle.
// expect: passed

static float mean_of(const float* row, int cols) {
    double s = 0;
    int a = 0;
    int b = cols - 1;
    while (a < b) {
        s += double(row[a++]) + row[b--];
    }
    if (a == b) {
        s += row[a];
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
