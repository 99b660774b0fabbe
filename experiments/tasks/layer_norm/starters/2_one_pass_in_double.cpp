// One pass for both sums, in vectors of doubles: what cancels between the mean of the squares and
// the square of the mean leaves enough of a double. The result may be stored round the caches.

// region: moments
#ifndef SUM_VEC_BYTES
#define SUM_VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef ACCUMULATORS
#define ACCUMULATORS 1  // tune: 1, 2, 4, 8
#endif

typedef double SumVec __attribute__((vector_size(SUM_VEC_BYTES)));
typedef float HalfSumVec __attribute__((vector_size(SUM_VEC_BYTES / 2)));

// Mean and variance of x. Distances are taken from the first element, so that little cancels.
static void moments(const float* x, long n, double& mean, double& variance) {
    constexpr long lanes = SUM_VEC_BYTES / 8;
    const double origin = x[0];
    SumVec sums[ACCUMULATORS] = {};
    SumVec squares[ACCUMULATORS] = {};
    long i = 0;
    for (; i + ACCUMULATORS * lanes <= n; i += ACCUMULATORS * lanes) {
#pragma GCC unroll 8
        for (int u = 0; u < ACCUMULATORS; ++u) {
            HalfSumVec narrow;
            __builtin_memcpy(&narrow, x + i + u * lanes, sizeof narrow);
            const SumVec v = __builtin_convertvector(narrow, SumVec) - origin;
            sums[u] += v;
            squares[u] += v * v;
        }
    }
#pragma GCC unroll 8
    for (int u = 1; u < ACCUMULATORS; ++u) {
        sums[0] += sums[u];
        squares[0] += squares[u];
    }
    double sum = 0.0;
    double square = 0.0;
    for (; i < n; ++i) {
        const double v = x[i] - origin;
        sum += v;
        square += v * v;
    }
    for (long l = 0; l < lanes; ++l) {
        sum += sums[0][l];
        square += squares[0][l];
    }
    const double distance = sum / static_cast<double>(n);
    mean = origin + distance;
    variance = square / static_cast<double>(n) - distance * distance;
    variance = variance > 0.0 ? variance : 0.0;
}
// endregion: moments

// region: normalise
#ifndef OUT_VEC_BYTES
#define OUT_VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef OUT_UNROLL
#define OUT_UNROLL 1  // tune: 1, 2, 4
#endif
#ifndef STREAM
#define STREAM 0  // tune: 0, 1
#endif

typedef float OutVec __attribute__((vector_size(OUT_VEC_BYTES), may_alias));
typedef float LooseOutVec __attribute__((vector_size(OUT_VEC_BYTES), aligned(4), may_alias));

// A store that goes round the caches where the machine has one; `to` is aligned.
static inline void store_around_caches(float* to, OutVec value) {
#if defined(__clang__)
    __builtin_nontemporal_store(value, reinterpret_cast<OutVec*>(to));
#elif OUT_VEC_BYTES == 64 && defined(__AVX512F__)
    __builtin_ia32_movntps512(to, value);
#elif OUT_VEC_BYTES == 32 && defined(__AVX__)
    __builtin_ia32_movntps256(to, value);
#elif OUT_VEC_BYTES == 16 && defined(__SSE__)
    __builtin_ia32_movntps(to, value);
#else
    *reinterpret_cast<OutVec*>(to) = value;
#endif
}

// y = (x - mean) factor gamma + beta, with the mean in two floats: one alone is too coarse where
// rows lie far from zero.
static void normalise(const float* x, const float* gamma, const float* beta, double mean,
                      double factor, float* y, long n) {
    constexpr long lanes = OUT_VEC_BYTES / 4;
    constexpr long step = OUT_UNROLL * lanes;
    const float high = static_cast<float>(mean);
    const float low = static_cast<float>(mean - high);
    const float scale = static_cast<float>(factor);
    long i = 0;
    for (; STREAM && i < n && reinterpret_cast<unsigned long>(y + i) % OUT_VEC_BYTES != 0; ++i) {
        y[i] = ((x[i] - high) - low) * scale * gamma[i] + beta[i];
    }
    for (; i + step <= n; i += step) {
#pragma GCC unroll 4
        for (int u = 0; u < OUT_UNROLL; ++u) {
            const long at = i + u * lanes;
            const OutVec distance = (*reinterpret_cast<const LooseOutVec*>(x + at) - high) - low;
            const OutVec value =
                distance * scale * *reinterpret_cast<const LooseOutVec*>(gamma + at) +
                *reinterpret_cast<const LooseOutVec*>(beta + at);
            if (STREAM) {
                store_around_caches(y + at, value);
            } else {
                *reinterpret_cast<LooseOutVec*>(y + at) = value;
            }
        }
    }
    for (; i < n; ++i) {
        y[i] = ((x[i] - high) - low) * scale * gamma[i] + beta[i];
    }
#if defined(__SSE__)
    if (STREAM) {
        __builtin_ia32_sfence();
    }
#endif
}
// endregion: normalise

// region: rows
#ifndef PREFETCH_BYTES
#define PREFETCH_BYTES 0  // tune: 0, 1024, 2048, 4096, 8192, 16384
#endif

static void all_rows(const float* x, const float* gamma, const float* beta, float eps, float* y,
                     long rows, long cols) {
    for (long r = 0; r < rows; ++r) {
        const float* from = x + r * cols;
        for (long c = 0; PREFETCH_BYTES > 0 && c < cols; c += 16) {
            __builtin_prefetch(from + c + PREFETCH_BYTES / 4);
        }
        double mean = 0.0;
        double variance = 0.0;
        moments(from, cols, mean, variance);
        normalise(from, gamma, beta, mean, 1.0 / __builtin_sqrt(variance + eps), y + r * cols,
                  cols);
    }
}
// endregion: rows

extern "C" void launch(const float* x, const float* gamma, const float* beta, float eps, float* y,
                       int rows, int cols) {
    all_rows(x, gamma, beta, eps, y, rows, cols);
}
