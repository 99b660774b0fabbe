// Several rows at a time, column by column of a group: more independent streams and sums in
// flight, and each weight is loaded once per group of rows. Rows left over are done one by one.

// region: add_and_square
#ifndef LANES
#define LANES 8  // tune: 8, 16, 32
#endif

// h = x + residual for one row; returns the sum of h^2.
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
// y = h * factor * weight for one row
static void normalise(const float* __restrict h, const float* __restrict weight, float factor,
                      float* __restrict y, long n) {
    for (long i = 0; i < n; ++i) {
        y[i] = h[i] * factor * weight[i];
    }
}
// endregion: normalise

// region: rows
#ifndef VEC_BYTES
#define VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef GROUP
#define GROUP 1  // tune: 1, 2, 3, 4, 6, 8
#endif
#ifndef VECTORS
#define VECTORS 1  // tune: 1, 2, 4
#endif
#ifndef STREAM
#define STREAM 0  // tune: 0, 1
#endif

typedef float Vec __attribute__((vector_size(VEC_BYTES), may_alias));
typedef float LooseVec __attribute__((vector_size(VEC_BYTES), aligned(4), may_alias));

enum : long { k_lanes = VEC_BYTES / 4, k_step = VECTORS * k_lanes };

// Round the caches where the machine can and `to` is aligned for it.
static inline void store(float* to, Vec value, bool aligned) {
    if (STREAM && aligned) {
#if defined(__clang__)
        __builtin_nontemporal_store(value, reinterpret_cast<Vec*>(to));
#elif VEC_BYTES == 64 && defined(__AVX512F__)
        __builtin_ia32_movntps512(to, value);
#elif VEC_BYTES == 32 && defined(__AVX__)
        __builtin_ia32_movntps256(to, value);
#elif VEC_BYTES == 16 && defined(__SSE__)
        __builtin_ia32_movntps(to, value);
#else
        *reinterpret_cast<Vec*>(to) = value;
#endif
    } else {
        *reinterpret_cast<LooseVec*>(to) = value;
    }
}

static void group_of_rows(const float* x, const float* residual, const float* weight, float eps,
                          float* y, float* h, long cols) {
    Vec sums[GROUP] = {};
    float squares[GROUP] = {};
    long c = 0;
    for (; c + k_step <= cols; c += k_step) {
#pragma GCC unroll 8
        for (int r = 0; r < GROUP; ++r) {
#pragma GCC unroll 8
            for (int v = 0; v < VECTORS; ++v) {
                const long at = r * cols + c + v * k_lanes;
                const Vec sum = *reinterpret_cast<const LooseVec*>(x + at) +
                                *reinterpret_cast<const LooseVec*>(residual + at);
                *reinterpret_cast<LooseVec*>(h + at) = sum;
                sums[r] += sum * sum;
            }
        }
    }
    for (int r = 0; r < GROUP; ++r) {
        for (long i = r * cols + c; i < (r + 1) * cols; ++i) {
            h[i] = x[i] + residual[i];
            squares[r] += h[i] * h[i];
        }
        for (long l = 0; l < k_lanes; ++l) {
            squares[r] += sums[r][l];
        }
        squares[r] = 1.0F / __builtin_sqrtf(squares[r] / static_cast<float>(cols) + eps);
    }
    const bool aligned = reinterpret_cast<unsigned long>(y) % VEC_BYTES == 0 && cols % k_lanes == 0;
    for (c = 0; c + k_lanes <= cols; c += k_lanes) {
        const Vec factors = *reinterpret_cast<const LooseVec*>(weight + c);
#pragma GCC unroll 8
        for (int r = 0; r < GROUP; ++r) {
            const long at = r * cols + c;
            store(y + at, *reinterpret_cast<const LooseVec*>(h + at) * squares[r] * factors,
                  aligned);
        }
    }
    for (; c < cols; ++c) {
        for (int r = 0; r < GROUP; ++r) {
            y[r * cols + c] = h[r * cols + c] * squares[r] * weight[c];
        }
    }
}

static void all_rows(const float* x, const float* residual, const float* weight, float eps,
                     float* y, float* h, long rows, long cols) {
    long r = 0;
    for (; r + GROUP <= rows; r += GROUP) {
        const long at = r * cols;
        group_of_rows(x + at, residual + at, weight, eps, y + at, h + at, cols);
    }
    for (; r < rows; ++r) {
        const long at = r * cols;
        const float mean =
            add_and_square(x + at, residual + at, h + at, cols) / static_cast<float>(cols);
        normalise(h + at, weight, 1.0F / __builtin_sqrtf(mean + eps), y + at, cols);
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
