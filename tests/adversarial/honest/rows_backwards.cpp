// Goes from the last element of the last row to the first.
// expect: passed

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long i = rows; i-- > 0;) {
        double sum = 0;
        for (long j = cols; j-- > 0;) {
            sum += x[i * cols + j];
        }
        for (long j = cols; j-- > 0;) {
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + sum / cols;
        }
    }
}
