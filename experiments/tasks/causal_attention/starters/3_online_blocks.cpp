// Blocks of keys with running maxima (online softmax: Milakov and Gimelshein, 2018; as in Dao's
// FlashAttention, 2022): a block of keys and values serves a whole block of queries while it is in
// the cache, and what a query has gathered so far is put right whenever its maximum grows.

#include <cstdlib>

// region: scores
#ifndef DOT_LANES
#define DOT_LANES 16  // tune: 1, 4, 8, 16, 32
#endif

// s[j] = scale * (q . k[j]) for the first `count` keys.
static void scores(const float* q, const float* k, float scale, float* s, long count, long d) {
    for (long j = 0; j < count; ++j) {
        const float* key = k + j * d;
        float sums[DOT_LANES] = {};
        long e = 0;
        for (; e + DOT_LANES <= d; e += DOT_LANES) {
            for (int l = 0; l < DOT_LANES; ++l) {
                sums[l] += q[e + l] * key[e + l];
            }
        }
        float sum = 0.0F;
        for (; e < d; ++e) {
            sum += q[e] * key[e];
        }
        for (const float part : sums) {
            sum += part;
        }
        s[j] = sum * scale;
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
#ifndef JAM
#define JAM 4  // tune: 1, 2, 4, 8
#endif

// o += the sum of s[j] v[j].
static void mix(const float* s, const float* v, float* o, long count, long d) {
    long j = 0;
    for (; j + JAM <= count; j += JAM) {
        for (long e = 0; e < d; ++e) {
            float sum = o[e];
#pragma GCC unroll 8
            for (int u = 0; u < JAM; ++u) {
                sum += s[j + u] * v[(j + u) * d + e];
            }
            o[e] = sum;
        }
    }
    for (; j < count; ++j) {
        for (long e = 0; e < d; ++e) {
            o[e] += s[j] * v[j * d + e];
        }
    }
}
// endregion: mix

// region: head
#ifndef QUERY_BLOCK
#define QUERY_BLOCK 32  // tune: 8, 16, 32, 64, 128
#endif
#ifndef KEY_BLOCK
#define KEY_BLOCK 32  // tune: 16, 32, 64, 128, 256
#endif

// What a query has met: the sum of its weights against the maximum so far.
struct Met {
    float maximum;
    float sum;
};

// Lets one query meet `count` (at least one) keys.
static void meet(const float* query, const float* k, const float* v, float scale, float* to,
                 Met& met, long count, long d) {
    float weights[KEY_BLOCK];
    scores(query, k, scale, weights, count, d);
    const float top = highest(weights, count);
    if (top > met.maximum) {
        const float late = met.sum > 0.0F ? __builtin_expf(met.maximum - top) : 0.0F;
        for (long e = 0; e < d; ++e) {
            to[e] *= late;
        }
        met.sum *= late;
        met.maximum = top;
    }
    met.sum += exponentials(weights, met.maximum, count);
    mix(weights, v, to, count, d);
}

// One head: for each block of queries, all blocks of keys up to the last query's own.
static void one_head(const float* q, const float* k, const float* v, float scale, float* o, long t,
                     long d) {
    Met met[QUERY_BLOCK];
    for (long first = 0; first < t; first += QUERY_BLOCK) {
        const long queries = QUERY_BLOCK < t - first ? QUERY_BLOCK : t - first;
        for (long r = 0; r < queries; ++r) {
            met[r] = {-3.0e38F, 0.0F};
            for (long e = 0; e < d; ++e) {
                o[(first + r) * d + e] = 0.0F;
            }
        }
        for (long j = 0; j < first + queries; j += KEY_BLOCK) {
            for (long r = j > first ? j - first : 0; r < queries; ++r) {
                const long keys = first + r + 1 - j;
                meet(q + (first + r) * d, k + j * d, v + j * d, scale, o + (first + r) * d, met[r],
                     KEY_BLOCK < keys ? KEY_BLOCK : keys, d);
            }
        }
        for (long r = 0; r < queries; ++r) {
            const float factor = 1.0F / met[r].sum;
            for (long e = 0; e < d; ++e) {
                o[(first + r) * d + e] *= factor;
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
