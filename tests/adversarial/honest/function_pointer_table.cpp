// Calls through a table of pointers.
// expect: passed

static void one_row(const float* x, const float* bias, float alpha, float* y, long cols) {
    double sum = 0;
    for (long j = 0; j < cols; ++j) {
        sum += x[j];
    }
    for (long j = 0; j < cols; ++j) {
        y[j] = alpha * x[j] + bias[j] + sum / cols;
    }
}

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    using Work = void (*)(const float*, const float*, float, float*, long);
    static volatile Work table[] = {one_row, one_row, one_row};
    for (long i = 0; i < rows; ++i) {
        table[i % 3](x + i * cols, bias, alpha, y + i * cols, cols);
    }
}
