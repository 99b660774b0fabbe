// y[i] = sum over the entries of row i of values[e] * x[col_idx[e]], in double.

extern "C" void reference(const int* row_ptr, const int* col_idx, const float* values,
                          const float* x, double* y, int rows, int cols, int nnz) {
    static_cast<void>(cols);
    static_cast<void>(nnz);
    for (long i = 0; i < rows; ++i) {
        double sum = 0.0;
        for (long e = row_ptr[i]; e < row_ptr[i + 1]; ++e) {
            sum += static_cast<double>(values[e]) * x[col_idx[e]];
        }
        y[i] = sum;
    }
}
