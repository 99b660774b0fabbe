// Jumps to the address of a label.
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
    static const void* const places[] = {&&work, &&done};
    long i = 0;
    goto* places[i >= rows];
work:
    one_row(x + i * cols, bias, alpha, y + i * cols, cols);
    ++i;
    goto* places[i >= rows];
done:;
}
