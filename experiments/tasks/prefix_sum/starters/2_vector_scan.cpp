// Scan inside vector registers by doubling (Hillis and Steele, 1986): shift by 1, 2, 4... lanes
// and add; then the carry is added to the whole vector.

// region: scan_block
#ifndef VEC_BYTES
#define VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef VECTORS
#define VECTORS 1  // tune: 1, 2, 3, 4, 6, 8
#endif
#ifndef SHORT_CHAIN
#define SHORT_CHAIN 0  // tune: 0, 1
#endif
#ifndef STREAM
#define STREAM 0  // tune: 0, 1
#endif

typedef float Vec __attribute__((vector_size(VEC_BYTES), may_alias));
typedef float LooseVec __attribute__((vector_size(VEC_BYTES), aligned(4), may_alias));

// Inclusive prefix sums within one vector, and a vector full of the last lane.
#if VEC_BYTES == 64
static inline Vec scan_lanes(Vec v) {
    const Vec o = {};
    v += __builtin_shufflevector(o, v, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
                                 30);
    v +=
        __builtin_shufflevector(o, v, 0, 1, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
    v += __builtin_shufflevector(o, v, 0, 1, 2, 3, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27);
    v += __builtin_shufflevector(o, v, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    return v;
}

static inline Vec last_lane(Vec v) {
    return __builtin_shufflevector(v, v, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
                                   15);
}
#elif VEC_BYTES == 32
static inline Vec scan_lanes(Vec v) {
    const Vec o = {};
    v += __builtin_shufflevector(o, v, 0, 8, 9, 10, 11, 12, 13, 14);
    v += __builtin_shufflevector(o, v, 0, 1, 8, 9, 10, 11, 12, 13);
    v += __builtin_shufflevector(o, v, 0, 1, 2, 3, 8, 9, 10, 11);
    return v;
}

static inline Vec last_lane(Vec v) {
    return __builtin_shufflevector(v, v, 7, 7, 7, 7, 7, 7, 7, 7);
}
#else
static inline Vec scan_lanes(Vec v) {
    const Vec o = {};
    v += __builtin_shufflevector(o, v, 0, 4, 5, 6);
    v += __builtin_shufflevector(o, v, 0, 1, 4, 5);
    return v;
}

static inline Vec last_lane(Vec v) {
    return __builtin_shufflevector(v, v, 3, 3, 3, 3);
}
#endif

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

// Inclusive prefix sums of n elements, all raised by `carry`; returns the last of them.
static float scan_block(const float* x, float* y, long n, float carry) {
    constexpr long lanes = VEC_BYTES / 4;
    constexpr long step = VECTORS * lanes;
    const bool aligned = reinterpret_cast<unsigned long>(y) % VEC_BYTES == 0;
    Vec raise = carry - Vec{};
    long i = 0;
    for (; i + step <= n; i += step) {
        Vec sums[VECTORS];
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; ++v) {
            sums[v] = scan_lanes(*reinterpret_cast<const LooseVec*>(x + i + v * lanes));
        }
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; ++v) {
            const Vec result = sums[v] + raise;
            store(y + i + v * lanes, result, aligned);
            raise = SHORT_CHAIN ? raise + last_lane(sums[v]) : last_lane(result);
        }
    }
    carry = raise[0];
    for (; i < n; ++i) {
        carry += x[i];
        y[i] = carry;
    }
    return carry;
}
// endregion: scan_block

// region: blocks
#ifndef BLOCK
#define BLOCK 1024  // tune: 256, 1024, 4096, 16384
#endif
#ifndef PREFETCH_ELEMENTS
#define PREFETCH_ELEMENTS 0  // tune: 0, 512, 1024, 2048, 8192
#endif

static void scan_all(const float* x, float* y, long n) {
    float carry = 0.0F;
    for (long i = 0; i < n; i += BLOCK) {
        const long count = n - i < BLOCK ? n - i : BLOCK;
        for (long e = 0; PREFETCH_ELEMENTS > 0 && e < count; e += 16) {
            __builtin_prefetch(x + i + e + PREFETCH_ELEMENTS);
        }
        carry = scan_block(x + i, y + i, count, carry);
    }
#if defined(__SSE__)
    __builtin_ia32_sfence();
#endif
}
// endregion: blocks

extern "C" void launch(const float* x, float* y, int n) {
    scan_all(x, y, n);
}
