// h = x + residual; y = h / sqrt(mean(h^2) + eps) * weight, row by row, in double.

extern "C" void reference(const float* x, const float* residual, const float* weight, float eps,
                          double* y, double* h, int rows, int cols) {
    for (long r = 0; r < rows; ++r) {
        double squares = 0.0;
        for (long c = 0; c < cols; ++c) {
            const double sum = static_cast<double>(x[r * cols + c]) + residual[r * cols + c];
            h[r * cols + c] = sum;
            squares += sum * sum;
        }
        const double factor = 1.0 / __builtin_sqrt(squares / cols + eps);
        for (long c = 0; c < cols; ++c) {
            y[r * cols + c] = h[r * cols + c] * factor * weight[c];
        }
    }
}
