// Explicit vectors and several accumulators. The two outputs are as large as the inputs and are
// not read again, so both may be stored round the caches: the row of sums is then kept in scratch.

// region: add_and_square
#ifndef ADD_VEC_BYTES
#define ADD_VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef ACCUMULATORS
#define ACCUMULATORS 1  // tune: 1, 2, 4, 8
#endif

typedef float AddVec __attribute__((vector_size(ADD_VEC_BYTES)));
typedef float LooseAddVec __attribute__((vector_size(ADD_VEC_BYTES), aligned(4), may_alias));

// h = x + residual; returns the sum of h^2.
static float add_and_square(const float* x, const float* residual, float* h, long n) {
    constexpr long lanes = ADD_VEC_BYTES / 4;
    AddVec sums[ACCUMULATORS] = {};
    long i = 0;
    for (; i + ACCUMULATORS * lanes <= n; i += ACCUMULATORS * lanes) {
#pragma GCC unroll 8
        for (int u = 0; u < ACCUMULATORS; ++u) {
            const long at = i + u * lanes;
            const AddVec sum = *reinterpret_cast<const LooseAddVec*>(x + at) +
                               *reinterpret_cast<const LooseAddVec*>(residual + at);
            *reinterpret_cast<LooseAddVec*>(h + at) = sum;
            sums[u] += sum * sum;
        }
    }
#pragma GCC unroll 8
    for (int u = 1; u < ACCUMULATORS; ++u) {
        sums[0] += sums[u];
    }
    float squares = 0.0F;
    for (; i < n; ++i) {
        h[i] = x[i] + residual[i];
        squares += h[i] * h[i];
    }
    for (long l = 0; l < lanes; ++l) {
        squares += sums[0][l];
    }
    return squares;
}
// endregion: add_and_square

// region: normalise
#ifndef SCALE_VEC_BYTES
#define SCALE_VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef SCALE_UNROLL
#define SCALE_UNROLL 1  // tune: 1, 2, 4, 8
#endif
#ifndef STREAM_Y
#define STREAM_Y 0  // tune: 0, 1
#endif

typedef float ScaleVec __attribute__((vector_size(SCALE_VEC_BYTES), may_alias));
typedef float LooseScaleVec __attribute__((vector_size(SCALE_VEC_BYTES), aligned(4), may_alias));

// A store that goes round the caches where the machine has one; `to` is aligned.
static inline void stream_scaled(float* to, ScaleVec value) {
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

// y = h * factor * weight
static void normalise(const float* h, const float* weight, float factor, float* y, long n) {
    constexpr long lanes = SCALE_VEC_BYTES / 4;
    constexpr long step = SCALE_UNROLL * lanes;
    long i = 0;
    for (; i < n && reinterpret_cast<unsigned long>(y + i) % SCALE_VEC_BYTES != 0; ++i) {
        y[i] = h[i] * factor * weight[i];
    }
    for (; i + step <= n; i += step) {
#pragma GCC unroll 8
        for (int u = 0; u < SCALE_UNROLL; ++u) {
            const long at = i + u * lanes;
            const ScaleVec value = *reinterpret_cast<const LooseScaleVec*>(h + at) * factor *
                                   *reinterpret_cast<const LooseScaleVec*>(weight + at);
            if (STREAM_Y) {
                stream_scaled(y + at, value);
            } else {
                *reinterpret_cast<ScaleVec*>(y + at) = value;
            }
        }
    }
    for (; i < n; ++i) {
        y[i] = h[i] * factor * weight[i];
    }
}
// endregion: normalise

// region: rows
#ifndef STREAM_H
#define STREAM_H 0  // tune: 0, 1
#endif
#ifndef PREFETCH_BYTES
#define PREFETCH_BYTES 0  // tune: 0, 2048, 4096, 8192, 16384
#endif

// Copies a row of sums from scratch round the caches.
static void stream_row(const float* from, float* to, long n) {
    typedef float Quad __attribute__((vector_size(16), may_alias));
    typedef float LooseQuad __attribute__((vector_size(16), aligned(4), may_alias));
    long i = 0;
    for (; i < n && reinterpret_cast<unsigned long>(to + i) % 16 != 0; ++i) {
        to[i] = from[i];
    }
    for (; i + 4 <= n; i += 4) {
        const Quad value = *reinterpret_cast<const LooseQuad*>(from + i);
#if defined(__clang__)
        __builtin_nontemporal_store(value, reinterpret_cast<Quad*>(to + i));
#elif defined(__SSE__)
        __builtin_ia32_movntps(to + i, value);
#else
        *reinterpret_cast<Quad*>(to + i) = value;
#endif
    }
    for (; i < n; ++i) {
        to[i] = from[i];
    }
}

static void all_rows(const float* x, const float* residual, const float* weight, float eps,
                     float* y, float* h, long rows, long cols) {
    constexpr long scratch_columns = 8192;
    alignas(64) static float scratch[scratch_columns];
    const bool streamed = STREAM_H && cols <= scratch_columns;
    for (long r = 0; r < rows; ++r) {
        const long at = r * cols;
        for (long c = 0; PREFETCH_BYTES > 0 && c < cols; c += 16) {
            __builtin_prefetch(x + at + c + PREFETCH_BYTES / 4);
            __builtin_prefetch(residual + at + c + PREFETCH_BYTES / 4);
        }
        float* sums = streamed ? scratch : h + at;
        const float squares = add_and_square(x + at, residual + at, sums, cols);
        const float mean = squares / static_cast<float>(cols);
        normalise(sums, weight, 1.0F / __builtin_sqrtf(mean + eps), y + at, cols);
        if (streamed) {
            stream_row(sums, h + at, cols);
        }
    }
#if defined(__SSE__)
    __builtin_ia32_sfence();
#endif
}
// endregion: rows

extern "C" void launch(const float* x, const float* residual, const float* weight, float eps,
                       float* y, float* h, int rows, int cols) {
    all_rows(x, residual, weight, eps, y, h, rows, cols);
}
