// y[i] = sum over j of scale[i, j / 64] * q[i, j] * x[j], in double.

extern "C" void reference(const signed char* q, const float* scale, const float* x, double* y,
                          int m, int k) {
    constexpr long group = 64;
    const long groups = (k + group - 1) / group;
    for (long i = 0; i < m; ++i) {
        double sum = 0.0;
        for (long g = 0; g < groups; ++g) {
            const long end = (g + 1) * group < k ? (g + 1) * group : k;
            double part = 0.0;
            for (long j = g * group; j < end; ++j) {
                part += static_cast<double>(x[j]) * q[i * k + j];
            }
            sum += part * scale[i * groups + g];
        }
        y[i] = sum;
    }
}
