// Bytes are widened to vectors of floats; a group's sums stay in lanes and are scaled as a vector,
// so that lanes are added up once per row. Several rows share each load of x.

// region: dot
#ifndef VEC_BYTES
#define VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef ACCUMULATORS
#define ACCUMULATORS 1  // tune: 1, 2, 4
#endif

typedef float Floats __attribute__((vector_size(VEC_BYTES)));
typedef float LooseFloats __attribute__((vector_size(VEC_BYTES), aligned(4), may_alias));
typedef int Ints __attribute__((vector_size(VEC_BYTES)));
#if VEC_BYTES == 64
typedef __int128 Packed;
#elif VEC_BYTES == 32
typedef long long Packed;
#else
typedef int Packed;
#endif

// VEC_BYTES / 4 bytes as floats. g++ 12 has no short code for the conversion in general, hence
// the instructions by name where the target has them.
static inline Floats widen(const signed char* q) {
    typedef char Bytes __attribute__((vector_size(16)));
    typedef Packed Parts __attribute__((vector_size(16)));
    Packed packed = 0;
    __builtin_memcpy(&packed, q, sizeof packed);
    const Bytes bytes = reinterpret_cast<Bytes>(Parts{packed});
#if VEC_BYTES == 64 && defined(__AVX512F__) && !defined(__clang__)
    const Ints ints = __builtin_ia32_pmovsxbd512_mask(bytes, Ints{}, -1);
#elif VEC_BYTES == 32 && defined(__AVX2__) && !defined(__clang__)
    const Ints ints = __builtin_ia32_pmovsxbd256(bytes);
#elif VEC_BYTES == 16 && defined(__SSE4_1__) && !defined(__clang__)
    const Ints ints = __builtin_ia32_pmovsxbd128(bytes);
#else
    Ints ints = {};
    for (int l = 0; l < VEC_BYTES / 4; ++l) {
        ints[l] = static_cast<signed char>(bytes[l]);
    }
#endif
    return __builtin_convertvector(ints, Floats);
}

// What dot_rows() wants instead of x; here x itself.
static const float* prepare_x(const float* x, long k) {
    static_cast<void>(k);
    return x;
}

// y of ROWS consecutive rows.
template <int ROWS>
static void dot_rows(const signed char* q, const float* scale, const float* x, float* y, long k,
                     long groups) {
    constexpr long group = 64;
    constexpr long lanes = VEC_BYTES / 4;
    constexpr long step = lanes * ACCUMULATORS;
    Floats totals[ROWS] = {};
    const long whole = k / group;
    for (long g = 0; g < whole; ++g) {
        Floats sums[ROWS][ACCUMULATORS] = {};
#pragma GCC unroll 16
        for (long j = 0; j < group; j += step) {
#pragma GCC unroll 4
            for (int u = 0; u < ACCUMULATORS; ++u) {
                const long at = g * group + j + u * lanes;
                const Floats factors = *reinterpret_cast<const LooseFloats*>(x + at);
#pragma GCC unroll 8
                for (int r = 0; r < ROWS; ++r) {
                    sums[r][u] += widen(q + r * k + at) * factors;
                }
            }
        }
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; ++r) {
#pragma GCC unroll 4
            for (int u = 1; u < ACCUMULATORS; ++u) {
                sums[r][0] += sums[r][u];
            }
            totals[r] += sums[r][0] * scale[r * groups + g];
        }
    }
    for (int r = 0; r < ROWS; ++r) {
        float total = 0.0F;
        for (long j = whole * group; j < k; ++j) {
            total += static_cast<float>(q[r * k + j]) * x[j];
        }
        if (whole < groups) {
            total *= scale[r * groups + whole];
        }
        for (long l = 0; l < lanes; ++l) {
            total += totals[r][l];
        }
        y[r] = total;
    }
}
// endregion: dot

// region: rows
#ifndef ROWS_TOGETHER
#define ROWS_TOGETHER 1  // tune: 1, 2, 3, 4, 6, 8
#endif
#ifndef PREFETCH_BYTES
#define PREFETCH_BYTES 0  // tune: 0, 1024, 4096, 16384
#endif

static void all_rows(const signed char* q, const float* scale, const float* x, float* y, long m,
                     long k, long groups) {
    long i = 0;
    for (; i + ROWS_TOGETHER <= m; i += ROWS_TOGETHER) {
        for (long j = 0; PREFETCH_BYTES > 0 && j < ROWS_TOGETHER * k; j += 64) {
            __builtin_prefetch(q + i * k + j + PREFETCH_BYTES);
        }
        dot_rows<ROWS_TOGETHER>(q + i * k, scale + i * groups, x, y + i, k, groups);
    }
    for (; i < m; ++i) {
        dot_rows<1>(q + i * k, scale + i * groups, x, y + i, k, groups);
    }
}
// endregion: rows

extern "C" void launch(const signed char* q, const float* scale, const float* x, float* y, int m,
                       int k) {
    all_rows(q, scale, prepare_x(x, k), y, m, k, (k + 63) / 64);
}
