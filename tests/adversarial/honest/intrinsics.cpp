// SSE2 by hand.
// expect: passed

#if defined(__SSE2__)
#include <immintrin.h>
#endif

static float mean_of(const float* row, int cols) {
    double t = 0;
    int j = 0;
#if defined(__SSE2__)
    __m128d s = _mm_setzero_pd();
    for (; j + 4 <= cols; j += 4) {
        const __m128 v = _mm_loadu_ps(row + j);
        s = _mm_add_pd(s, _mm_cvtps_pd(v));
        s = _mm_add_pd(s, _mm_cvtps_pd(_mm_movehl_ps(v, v)));
    }
    double parts[2];
    _mm_storeu_pd(parts, s);
    t = parts[0] + parts[1];
#endif
    for (; j < cols; ++j) {
        t += row[j];
    }
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
