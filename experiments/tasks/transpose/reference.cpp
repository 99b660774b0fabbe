// Transpose of each matrix of a batch; a double holds every float exactly.

extern "C" void reference(const float* x, double* y, int batch, int rows, int cols) {
    for (long b = 0; b < batch; ++b) {
        const float* from = x + b * rows * cols;
        double* to = y + b * rows * cols;
        for (long r = 0; r < rows; ++r) {
            for (long c = 0; c < cols; ++c) {
                to[c * rows + r] = from[r * cols + c];
            }
        }
    }
}
