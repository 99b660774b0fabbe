// Two plain passes over each row; vector code is left to the compiler.

// region: add_and_square
#ifndef LANES
#define LANES 1  // tune: 1, 4, 8, 16, 32, 64
#endif

// h = x + residual; returns the sum of h^2.
static float add_and_square(const float* __restrict x, const float* __restrict residual,
                            float* __restrict h, long n) {
    float sums[LANES] = {};
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int l = 0; l < LANES; ++l) {
            const float sum = x[i + l] + residual[i + l];
            h[i + l] = sum;
            sums[l] += sum * sum;
        }
    }
    for (; i < n; ++i) {
        h[i] = x[i] + residual[i];
        sums[0] += h[i] * h[i];
    }
    float squares = 0.0F;
    for (const float s : sums) {
        squares += s;
    }
    return squares;
}
// endregion: add_and_square

// region: normalise
#ifndef UNROLL
#define UNROLL 1  // tune: 1, 2, 4, 8, 16, 32
#endif

// y = h * factor * weight
static void normalise(const float* __restrict h, const float* __restrict weight, float factor,
                      float* __restrict y, long n) {
    long i = 0;
    for (; i + UNROLL <= n; i += UNROLL) {
        for (int u = 0; u < UNROLL; ++u) {
            y[i + u] = h[i + u] * factor * weight[i + u];
        }
    }
    for (; i < n; ++i) {
        y[i] = h[i] * factor * weight[i];
    }
}
// endregion: normalise

// region: rows
#ifndef PREFETCH_AHEAD
#define PREFETCH_AHEAD 0  // tune: 0, 1, 2
#endif

static void all_rows(const float* x, const float* residual, const float* weight, float eps,
                     float* y, float* h, long rows, long cols) {
    for (long r = 0; r < rows; ++r) {
        const long at = r * cols;
        if (PREFETCH_AHEAD > 0 && r + PREFETCH_AHEAD < rows) {
            for (long c = 0; c < cols; c += 16) {
                __builtin_prefetch(x + at + PREFETCH_AHEAD * cols + c);
                __builtin_prefetch(residual + at + PREFETCH_AHEAD * cols + c);
            }
        }
        const float squares = add_and_square(x + at, residual + at, h + at, cols);
        const float mean = squares / static_cast<float>(cols);
        normalise(h + at, weight, 1.0F / __builtin_sqrtf(mean + eps), y + at, cols);
    }
}
// endregion: rows

extern "C" void launch(const float* x, const float* residual, const float* weight, float eps,
                       float* y, float* h, int rows, int cols) {
    all_rows(x, residual, weight, eps, y, h, rows, cols);
}
