// AVX with masked tails where the machine has it.
// expect: passed

#if defined(__AVX2__)
#include <immintrin.h>
#endif

static float mean_of(const float* row, int cols) {
    double t = 0;
#if defined(__AVX2__)
    __m256 s = _mm256_setzero_ps();
    for (int j = 0; j < cols; j += 8) {
        alignas(32) int on[8];
        for (int k = 0; k < 8; ++k) {
            on[k] = j + k < cols ? -1 : 0;
        }
        s = _mm256_add_ps(
            s, _mm256_maskload_ps(row + j, _mm256_load_si256(reinterpret_cast<__m256i*>(on))));
    }
    alignas(32) float parts[8];
    _mm256_store_ps(parts, s);
    for (float part : parts) {
        t += part;
    }
#else
    for (int j = 0; j < cols; ++j) {
        t += row[j];
    }
#endif
    return t / cols;
}

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long i = 0; i < rows; ++i) {
        const float mean = mean_of(x + i * cols, cols);
        for (long j = 0; j < cols; ++j) {
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + mean;
        }
    }
}
