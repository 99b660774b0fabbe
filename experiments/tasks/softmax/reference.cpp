// Softmax of each row, in double, with the row's maximum subtracted.

extern "C" void reference(const float* x, double* y, int rows, int cols) {
    for (long r = 0; r < rows; ++r) {
        const float* from = x + r * cols;
        double* to = y + r * cols;
        double maximum = from[0];
        for (long c = 1; c < cols; ++c) {
            maximum = from[c] > maximum ? from[c] : maximum;
        }
        double sum = 0.0;
        for (long c = 0; c < cols; ++c) {
            to[c] = __builtin_exp(from[c] - maximum);
            sum += to[c];
        }
        for (long c = 0; c < cols; ++c) {
            to[c] /= sum;
        }
    }
}
