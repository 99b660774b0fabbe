// Stores past the caches.
// expect: passed
// level: measure

#if defined(__SSE2__)
#include <immintrin.h>
#endif

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (long j = 0; j < cols; ++j) {
            sum += x[i * cols + j];
        }
        for (long j = 0; j < cols; ++j) {
            const float value = alpha * x[i * cols + j] + bias[j] + sum / cols;
#if defined(__SSE2__)
            int bits;
            __builtin_memcpy(&bits, &value, 4);
            _mm_stream_si32(reinterpret_cast<int*>(y + i * cols + j), bits);
#else
            y[i * cols + j] = value;
#endif
        }
    }
#if defined(__SSE2__)
    _mm_sfence();
#endif
}
