// Inclusive prefix sum in double.

extern "C" void reference(const float* x, double* y, int n) {
    double sum = 0.0;
    for (long i = 0; i < n; ++i) {
        sum += x[i];
        y[i] = sum;
    }
}
