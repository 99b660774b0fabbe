// Duff's device.
// expect: passed

static float mean_of(const float* row, int cols) {
    double s = 0;
    const float* p = row;
    int n = (cols + 3) / 4;
    switch (cols % 4) {
        case 0:
            do {
                s += *p++;
                [[fallthrough]];
                case 3:
                    s += *p++;
                    [[fallthrough]];
                case 2:
                    s += *p++;
                    [[fallthrough]];
                case 1:
                    s += *p++;
            } while (--n > 0);
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
