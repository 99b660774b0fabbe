// y = gelu(x w + bias) for each entry of the batch, every sum in double: a row of products at a
// time stays in the cache as accumulators. GELU is the exact one, z times the normal distribution's
// cumulative function, z (1 + erf(z / sqrt(2))) / 2, written with erfc so that nothing cancels
// where z is negative.

extern "C" void reference(const float* x, const float* w, const float* bias, double* y, int batch,
                          int m, int n, int k) {
    const double root_half = 0.70710678118654752440;
    for (long b = 0; b < batch; ++b) {
        for (long i = 0; i < m; ++i) {
            double* row = y + (b * m + i) * n;
            for (long j = 0; j < n; ++j) {
                row[j] = bias[b * n + j];
            }
            for (long p = 0; p < k; ++p) {
                const double factor = x[(b * m + i) * k + p];
                const float* from = w + (b * k + p) * n;
                for (long j = 0; j < n; ++j) {
                    row[j] += factor * from[j];
                }
            }
            for (long j = 0; j < n; ++j) {
                row[j] = 0.5 * row[j] * __builtin_erfc(-row[j] * root_half);
            }
        }
    }
}
