// OpenBLAS on one thread: what the field calls fast.

extern "C" {
void cblas_sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                 const float* a, int lda, const float* b, int ldb, float beta, float* c, int ldc);
void openblas_set_num_threads(int threads);
}

extern "C" void launch(const float* a, const float* b, float* c, int m, int n, int k) {
    constexpr int row_major = 101;
    constexpr int not_transposed = 111;
    openblas_set_num_threads(1);
    cblas_sgemm(row_major, not_transposed, not_transposed, m, n, k, 1.0F, a, k, b, n, 0.0F, c, n);
}
