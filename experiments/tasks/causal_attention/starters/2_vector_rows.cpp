// Query by query in explicit vector code: several keys at once against one query, a polynomial
// exponential, and columns of the output that stay in registers while the values go by.

#include <cstdlib>

// region: scores
#ifndef DOT_VEC_BYTES
#define DOT_VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef DOT_KEYS
#define DOT_KEYS 2  // tune: 1, 2, 4, 8
#endif

typedef float DotVec __attribute__((vector_size(DOT_VEC_BYTES)));
typedef float LooseDotVec __attribute__((vector_size(DOT_VEC_BYTES), aligned(4), may_alias));

template <int keys>
static inline void dot_products(const float* q, const float* k, float scale, float* s, long d) {
    constexpr long lanes = DOT_VEC_BYTES / 4;
    DotVec sums[keys] = {};
    long e = 0;
    for (; e + lanes <= d; e += lanes) {
        const DotVec query = *reinterpret_cast<const LooseDotVec*>(q + e);
#pragma GCC unroll 8
        for (int x = 0; x < keys; ++x) {
            sums[x] += query * *reinterpret_cast<const LooseDotVec*>(k + x * d + e);
        }
    }
    for (int x = 0; x < keys; ++x) {
        float sum = 0.0F;
        for (long rest = e; rest < d; ++rest) {
            sum += q[rest] * k[x * d + rest];
        }
        for (long l = 0; l < lanes; ++l) {
            sum += sums[x][l];
        }
        s[x] = sum * scale;
    }
}

// s[j] = scale * (q . k[j]) for the first `count` keys.
static void scores(const float* q, const float* k, float scale, float* s, long count, long d) {
    long j = 0;
    for (; j + DOT_KEYS <= count; j += DOT_KEYS) {
        dot_products<DOT_KEYS>(q, k + j * d, scale, s + j, d);
    }
    for (; j < count; ++j) {
        dot_products<1>(q, k + j * d, scale, s + j, d);
    }
}
// endregion: scores

// region: exponentials
#ifndef EXP_VEC_BYTES
#define EXP_VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef EXP_DEGREE
#define EXP_DEGREE 6  // tune: 6, 7
#endif

typedef float ExpVec __attribute__((vector_size(EXP_VEC_BYTES)));
typedef float LooseExpVec __attribute__((vector_size(EXP_VEC_BYTES), aligned(4), may_alias));
typedef int ExpInts __attribute__((vector_size(EXP_VEC_BYTES)));

static float highest(const float* s, long n) {
    constexpr long lanes = EXP_VEC_BYTES / 4;
    ExpVec best = s[0] - ExpVec{};
    long i = 0;
    for (; i + lanes <= n; i += lanes) {
        const ExpVec v = *reinterpret_cast<const LooseExpVec*>(s + i);
        best = v > best ? v : best;
    }
    float result = s[0];
    for (long l = 0; l < lanes; ++l) {
        result = best[l] > result ? best[l] : result;
    }
    for (; i < n; ++i) {
        result = s[i] > result ? s[i] : result;
    }
    return result;
}

// e^x for x <= 0: 2^whole e^part with |part| <= ln(2) / 2 and the Taylor polynomial for e^part.
static inline ExpVec exponential(ExpVec x) {
    const ExpVec lowest = -87.0F - ExpVec{};
    x = x > lowest ? x : lowest;
    const ExpInts whole = __builtin_convertvector(x * 1.44269504F - 0.5F, ExpInts);
    const ExpVec count = __builtin_convertvector(whole, ExpVec);
    const ExpVec part = x - count * 0.693359375F + count * 2.12194440e-4F;
    ExpVec p = ExpVec{} + (EXP_DEGREE >= 7 ? 1.0F / 5040 : 1.0F / 720);
    if (EXP_DEGREE >= 7) {
        p = p * part + 1.0F / 720;
    }
    p = p * part + 1.0F / 120;
    p = p * part + 1.0F / 24;
    p = p * part + 1.0F / 6;
    p = p * part + 0.5F;
    p = p * part + 1.0F;
    p = p * part + 1.0F;
    return p * reinterpret_cast<ExpVec>((whole + 127) << 23);
}

// s = e^(s - shift); returns their sum.
static float exponentials(float* s, float shift, long n) {
    constexpr long lanes = EXP_VEC_BYTES / 4;
    ExpVec sums = {};
    long i = 0;
    for (; i + lanes <= n; i += lanes) {
        const ExpVec e = exponential(*reinterpret_cast<const LooseExpVec*>(s + i) - shift);
        *reinterpret_cast<LooseExpVec*>(s + i) = e;
        sums += e;
    }
    float sum = 0.0F;
    if (i < n) {
        ExpVec v = {};
        __builtin_memcpy(&v, s + i, (n - i) * sizeof(float));
        const ExpVec e = exponential(v - shift);
        __builtin_memcpy(s + i, &e, (n - i) * sizeof(float));
        for (long l = 0; l < n - i; ++l) {
            sum += e[l];
        }
    }
    for (long l = 0; l < lanes; ++l) {
        sum += sums[l];
    }
    return sum;
}
// endregion: exponentials

// region: mix
#ifndef MIX_VEC_BYTES
#define MIX_VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef MIX_VECTORS
#define MIX_VECTORS 2  // tune: 1, 2, 4, 8
#endif

typedef float MixVec __attribute__((vector_size(MIX_VEC_BYTES)));
typedef float LooseMixVec __attribute__((vector_size(MIX_VEC_BYTES), aligned(4), may_alias));

template <int vectors>
static inline void mix_columns(const float* s, const float* v, float* o, long count, long d) {
    constexpr long lanes = MIX_VEC_BYTES / 4;
    MixVec sums[vectors];
#pragma GCC unroll 8
    for (int x = 0; x < vectors; ++x) {
        sums[x] = *reinterpret_cast<const LooseMixVec*>(o + x * lanes);
    }
    for (long j = 0; j < count; ++j) {
#pragma GCC unroll 8
        for (int x = 0; x < vectors; ++x) {
            sums[x] += s[j] * *reinterpret_cast<const LooseMixVec*>(v + j * d + x * lanes);
        }
    }
#pragma GCC unroll 8
    for (int x = 0; x < vectors; ++x) {
        *reinterpret_cast<LooseMixVec*>(o + x * lanes) = sums[x];
    }
}

// o += the sum of s[j] v[j]: some columns of o stay in registers while all values go by.
static void mix(const float* s, const float* v, float* o, long count, long d) {
    constexpr long lanes = MIX_VEC_BYTES / 4;
    long e = 0;
    for (; e + MIX_VECTORS * lanes <= d; e += MIX_VECTORS * lanes) {
        mix_columns<MIX_VECTORS>(s, v + e, o + e, count, d);
    }
    for (; e + lanes <= d; e += lanes) {
        mix_columns<1>(s, v + e, o + e, count, d);
    }
    for (; e < d; ++e) {
        float sum = o[e];
        for (long j = 0; j < count; ++j) {
            sum += s[j] * v[j * d + e];
        }
        o[e] = sum;
    }
}
// endregion: mix

// region: head
#ifndef QUERIES
#define QUERIES 2  // tune: 1, 2, 4, 8, 16
#endif

// One head: scores, weights and mixed values of a group of queries after one another.
static void one_head(const float* q, const float* k, const float* v, float scale, float* o, long t,
                     long d) {
    static float* space = nullptr;
    static long capacity = 0;
    if (QUERIES * t > capacity) {
        std::free(space);
        capacity = QUERIES * t;
        space = static_cast<float*>(std::malloc(capacity * sizeof(float)));
    }
    for (long first = 0; first < t; first += QUERIES) {
        const long count = QUERIES < t - first ? QUERIES : t - first;
        for (long r = 0; r < count; ++r) {
            scores(q + (first + r) * d, k, scale, space + r * t, first + r + 1, d);
        }
        for (long r = 0; r < count; ++r) {
            const long keys = first + r + 1;
            float* weights = space + r * t;
            float* to = o + (first + r) * d;
            const float factor = 1.0F / exponentials(weights, highest(weights, keys), keys);
            for (long e = 0; e < d; ++e) {
                to[e] = 0.0F;
            }
            mix(weights, v, to, keys, d);
            for (long e = 0; e < d; ++e) {
                to[e] *= factor;
            }
        }
    }
}
// endregion: head

extern "C" void launch(const float* q, const float* k, const float* v, float scale, float* o,
                       int heads, int t, int d) {
    const long size = static_cast<long>(t) * d;
    for (long h = 0; h < heads; ++h) {
        one_head(q + h * size, k + h * size, v + h * size, scale, o + h * size, t, d);
    }
}
