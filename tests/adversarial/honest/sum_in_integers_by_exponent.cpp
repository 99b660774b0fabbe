// Sums the mantissas of each exponent as integers, so that nothing is rounded before the end.
// expect: passed

#include <cmath>
#include <map>

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long i = 0; i < rows; ++i) {
        std::map<int, long long> sums;
        for (long j = 0; j < cols; ++j) {
            int exponent = 0;
            const float mantissa = std::frexp(x[i * cols + j], &exponent);
            sums[exponent] += static_cast<long long>(std::ldexp(mantissa, 24));
        }
        double sum = 0;
        for (const auto& [exponent, mantissas] : sums) {
            sum += std::ldexp(static_cast<double>(mantissas), exponent - 24);
        }
        for (long j = 0; j < cols; ++j) {
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + sum / cols;
        }
    }
}
