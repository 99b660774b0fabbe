// Layer normalisation of each row, in double and in two passes: the mean, then the mean square of
// the distances from it.

extern "C" void reference(const float* x, const float* gamma, const float* beta, float eps,
                          double* y, int rows, int cols) {
    for (long r = 0; r < rows; ++r) {
        const float* from = x + r * cols;
        double sum = 0.0;
        for (long c = 0; c < cols; ++c) {
            sum += from[c];
        }
        const double mean = sum / cols;
        double squares = 0.0;
        for (long c = 0; c < cols; ++c) {
            squares += (from[c] - mean) * (from[c] - mean);
        }
        const double factor = 1.0 / __builtin_sqrt(squares / cols + eps);
        for (long c = 0; c < cols; ++c) {
            y[r * cols + c] = (from[c] - mean) * factor * gamma[c] + beta[c];
        }
    }
}
