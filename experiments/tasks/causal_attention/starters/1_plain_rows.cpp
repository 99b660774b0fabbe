// Query by query in plain loops: all scores, their exponentials, the weighted sum of the values.
// What can be vector code is left to the compiler.

#include <cstdlib>

// region: scores
#ifndef DOT_LANES
#define DOT_LANES 8  // tune: 1, 4, 8, 16, 32
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
#ifndef EXP_KIND
#define EXP_KIND 0  // tune: 0, 1
#endif
#ifndef EXP_LANES
#define EXP_LANES 1  // tune: 1, 4, 8, 16, 32
#endif

static float highest(const float* s, long n) {
    float best[EXP_LANES];
    for (float& b : best) {
        b = s[0];
    }
    long i = 0;
    for (; i + EXP_LANES <= n; i += EXP_LANES) {
        for (int l = 0; l < EXP_LANES; ++l) {
            best[l] = s[i + l] > best[l] ? s[i + l] : best[l];
        }
    }
    for (; i < n; ++i) {
        best[0] = s[i] > best[0] ? s[i] : best[0];
    }
    for (const float b : best) {
        best[0] = b > best[0] ? b : best[0];
    }
    return best[0];
}

// e^x for x <= 0: from the C library, or 2^whole times a polynomial for 2^part.
static inline float exponential(float x) {
    if (EXP_KIND == 0) {
        return __builtin_expf(x);
    }
    float t = x * 1.44269504F;
    t = t > -126.0F ? t : -126.0F;
    const int whole = static_cast<int>(t - 0.5F);
    const float part = t - static_cast<float>(whole);
    float p = 1.3333558e-3F;
    p = p * part + 9.6181291e-3F;
    p = p * part + 5.5504109e-2F;
    p = p * part + 2.4022651e-1F;
    p = p * part + 6.9314718e-1F;
    p = p * part + 1.0F;
    const int power = (whole + 127) << 23;
    float factor = 0.0F;
    __builtin_memcpy(&factor, &power, sizeof factor);
    return p * factor;
}

// s = e^(s - shift); returns their sum.
static float exponentials(float* s, float shift, long n) {
    float sums[EXP_LANES] = {};
    long i = 0;
    for (; i + EXP_LANES <= n; i += EXP_LANES) {
        for (int l = 0; l < EXP_LANES; ++l) {
            s[i + l] = exponential(s[i + l] - shift);
            sums[l] += s[i + l];
        }
    }
    float sum = 0.0F;
    for (; i < n; ++i) {
        s[i] = exponential(s[i] - shift);
        sum += s[i];
    }
    for (const float part : sums) {
        sum += part;
    }
    return sum;
}
// endregion: exponentials

// region: mix
#ifndef JAM
#define JAM 1  // tune: 1, 2, 4, 8
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
#ifndef QUERIES
#define QUERIES 1  // tune: 1, 2, 4, 8, 16
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
