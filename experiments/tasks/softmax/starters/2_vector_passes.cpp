// Three passes in explicit vector code with several accumulators and a polynomial exponential; a
// row may be built in scratch and written out with streaming stores.

// region: maximum
#ifndef MAX_VEC_BYTES
#define MAX_VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef MAX_ACCUMULATORS
#define MAX_ACCUMULATORS 1  // tune: 1, 2, 4, 8
#endif

typedef float MaxVec __attribute__((vector_size(MAX_VEC_BYTES)));
typedef float LooseMaxVec __attribute__((vector_size(MAX_VEC_BYTES), aligned(4), may_alias));

static float row_maximum(const float* x, long n) {
    constexpr long lanes = MAX_VEC_BYTES / 4;
    MaxVec best[MAX_ACCUMULATORS];
#pragma GCC unroll 8
    for (int u = 0; u < MAX_ACCUMULATORS; ++u) {
        best[u] = x[0] - MaxVec{};
    }
    long i = 0;
    for (; i + MAX_ACCUMULATORS * lanes <= n; i += MAX_ACCUMULATORS * lanes) {
#pragma GCC unroll 8
        for (int u = 0; u < MAX_ACCUMULATORS; ++u) {
            const MaxVec v = *reinterpret_cast<const LooseMaxVec*>(x + i + u * lanes);
            best[u] = v > best[u] ? v : best[u];
        }
    }
#pragma GCC unroll 8
    for (int u = 1; u < MAX_ACCUMULATORS; ++u) {
        best[0] = best[u] > best[0] ? best[u] : best[0];
    }
    for (; i + lanes <= n; i += lanes) {
        const MaxVec v = *reinterpret_cast<const LooseMaxVec*>(x + i);
        best[0] = v > best[0] ? v : best[0];
    }
    float result = x[0];
    for (long l = 0; l < lanes; ++l) {
        result = best[0][l] > result ? best[0][l] : result;
    }
    for (; i < n; ++i) {
        result = x[i] > result ? x[i] : result;
    }
    return result;
}
// endregion: maximum

// region: exponentials
#ifndef EXP_VEC_BYTES
#define EXP_VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef EXP_UNROLL
#define EXP_UNROLL 1  // tune: 1, 2, 3, 4, 6, 8
#endif
#ifndef EXP_DEGREE
#define EXP_DEGREE 7  // tune: 5, 6, 7
#endif

typedef float ExpVec __attribute__((vector_size(EXP_VEC_BYTES)));
typedef float LooseExpVec __attribute__((vector_size(EXP_VEC_BYTES), aligned(4), may_alias));
typedef int ExpInts __attribute__((vector_size(EXP_VEC_BYTES)));

// e^x for x <= 0: 2^whole e^part with |part| <= ln(2) / 2 and the Taylor polynomial for e^part
// (relative error 2e-6 at degree 5, 1e-7 at 6).
static inline ExpVec exponential(ExpVec x) {
    const ExpVec lowest = -87.0F - ExpVec{};
    x = x > lowest ? x : lowest;
    const ExpInts whole = __builtin_convertvector(x * 1.44269504F - 0.5F, ExpInts);
    const ExpVec count = __builtin_convertvector(whole, ExpVec);
    const ExpVec part = x - count * 0.693359375F + count * 2.12194440e-4F;
    ExpVec p = ExpVec{} + (EXP_DEGREE >= 7   ? 1.0F / 5040
                           : EXP_DEGREE == 6 ? 1.0F / 720
                                             : 1.0F / 120);
    if (EXP_DEGREE >= 7) {
        p = p * part + 1.0F / 720;
    }
    if (EXP_DEGREE >= 6) {
        p = p * part + 1.0F / 120;
    }
    p = p * part + 1.0F / 24;
    p = p * part + 1.0F / 6;
    p = p * part + 0.5F;
    p = p * part + 1.0F;
    p = p * part + 1.0F;
    return p * reinterpret_cast<ExpVec>((whole + 127) << 23);
}

// y = e^(x - shift); returns their sum.
static float exponentials(const float* x, float shift, float* y, long n) {
    constexpr long lanes = EXP_VEC_BYTES / 4;
    ExpVec sums[EXP_UNROLL] = {};
    long i = 0;
    for (; i + EXP_UNROLL * lanes <= n; i += EXP_UNROLL * lanes) {
#pragma GCC unroll 8
        for (int u = 0; u < EXP_UNROLL; ++u) {
            const ExpVec v = *reinterpret_cast<const LooseExpVec*>(x + i + u * lanes);
            const ExpVec e = exponential(v - shift);
            *reinterpret_cast<LooseExpVec*>(y + i + u * lanes) = e;
            sums[u] += e;
        }
    }
    for (; i < n; i += lanes) {
        const long count = n - i < lanes ? n - i : lanes;
        ExpVec v = {};
        __builtin_memcpy(&v, x + i, count * sizeof(float));
        const ExpVec e = exponential(v - shift);
        __builtin_memcpy(y + i, &e, count * sizeof(float));
        for (long l = 0; l < count; ++l) {
            sums[0][l] += e[l];
        }
    }
    float sum = 0.0F;
#pragma GCC unroll 8
    for (int u = 1; u < EXP_UNROLL; ++u) {
        sums[0] += sums[u];
    }
    for (long l = 0; l < lanes; ++l) {
        sum += sums[0][l];
    }
    return sum;
}
// endregion: exponentials

// region: scale
#ifndef SCALE_VEC_BYTES
#define SCALE_VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef STREAM
#define STREAM 0  // tune: 0, 1
#endif

typedef float ScaleVec __attribute__((vector_size(SCALE_VEC_BYTES), may_alias));
typedef float LooseScaleVec __attribute__((vector_size(SCALE_VEC_BYTES), aligned(4), may_alias));

// A store that goes round the caches where the machine has one; `to` is aligned.
static inline void store_around_caches(float* to, ScaleVec value) {
#if defined(__clang__)
    __builtin_nontemporal_store(value, reinterpret_cast<ScaleVec*>(to));
#elif SCALE_VEC_BYTES == 64 && defined(__AVX512F__)
    __builtin_ia32_movntps512(to, value);
#elif SCALE_VEC_BYTES == 32 && defined(__AVX__)
    __builtin_ia32_movntps256(to, value);
#elif SCALE_VEC_BYTES == 16 && defined(__SSE__)
    __builtin_ia32_movntps(to, value);
#else
    *reinterpret_cast<ScaleVec*>(to) = value;
#endif
}

// to = from * factor; the two may be the same.
static void scale_row(const float* from, float* to, float factor, long n) {
    constexpr long lanes = SCALE_VEC_BYTES / 4;
    long i = 0;
    if (STREAM) {
        for (; i < n && reinterpret_cast<unsigned long>(to + i) % SCALE_VEC_BYTES != 0; ++i) {
            to[i] = from[i] * factor;
        }
        for (; i + lanes <= n; i += lanes) {
            const ScaleVec v = *reinterpret_cast<const LooseScaleVec*>(from + i);
            store_around_caches(to + i, v * factor);
        }
    }
    for (; i + lanes <= n; i += lanes) {
        const ScaleVec v = *reinterpret_cast<const LooseScaleVec*>(from + i);
        *reinterpret_cast<LooseScaleVec*>(to + i) = v * factor;
    }
    for (; i < n; ++i) {
        to[i] = from[i] * factor;
    }
}
// endregion: scale

// region: row
#ifndef USE_SCRATCH
#define USE_SCRATCH 0  // tune: 0, 1
#endif

static void softmax_row(const float* x, float* y, long n) {
    constexpr long scratch_columns = 8192;
    alignas(64) static float scratch[scratch_columns];
    float* work = USE_SCRATCH && n <= scratch_columns ? scratch : y;
    const float sum = exponentials(x, row_maximum(x, n), work, n);
    scale_row(work, y, 1.0F / sum, n);
}
// endregion: row

extern "C" void launch(const float* x, float* y, int rows, int cols) {
    for (long r = 0; r < rows; ++r) {
        softmax_row(x + r * cols, y + r * cols, cols);
    }
#if defined(__SSE__)
    __builtin_ia32_sfence();
#endif
}
