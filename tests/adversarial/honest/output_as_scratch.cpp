// Uses the output as scratch before the answer stands there.
// expect: passed

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long i = 0; i < rows; ++i) {
        float* row = y + i * cols;
        double sum = 0;
        for (long j = 0; j < cols; ++j) {
            row[j] = x[i * cols + j];
            sum += row[j];
        }
        for (long j = 0; j < cols; ++j) {
            row[j] *= alpha;
        }
        for (long j = 0; j < cols; ++j) {
            row[j] += bias[j] + static_cast<float>(sum / cols);
        }
    }
}
