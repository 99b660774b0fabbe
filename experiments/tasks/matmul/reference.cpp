// C = A B with every sum in double: a few rows of C at a time stay in the cache as accumulators.

extern "C" void reference(const float* a, const float* b, double* c, int m, int n, int k) {
    for (long i = 0; i < m; ++i) {
        double* row = c + i * n;
        for (long j = 0; j < n; ++j) {
            row[j] = 0.0;
        }
        for (long p = 0; p < k; ++p) {
            const double factor = a[i * k + p];
            const float* from = b + p * n;
            for (long j = 0; j < n; ++j) {
                row[j] += factor * from[j];
            }
        }
    }
}
