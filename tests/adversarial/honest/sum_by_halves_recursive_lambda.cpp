// A lambda that takes itself, and splits each row until one element is left.
// expect: passed

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    const auto sum = [](const auto& self, const float* row, long count) -> double {
        if (count == 1) {
            return row[0];
        }
        return self(self, row, count / 2) + self(self, row + count / 2, count - count / 2);
    };
    for (long i = 0; i < rows; ++i) {
        const double mean = sum(sum, x + i * cols, cols) / cols;
        for (long j = 0; j < cols; ++j) {
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + mean;
        }
    }
}
