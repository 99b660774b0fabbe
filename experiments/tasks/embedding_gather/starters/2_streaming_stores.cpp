// Rows copied in vectors, written past the caches where the machine has such stores: nobody reads
// the output again before it has left them.

// region: row
#ifndef VEC_BYTES
#define VEC_BYTES 32  // tune: 16, 32, 64
#endif
#ifndef UNROLL
#define UNROLL 2  // tune: 1, 2, 4, 8
#endif
#ifndef STREAM
#define STREAM 1  // tune: 0, 1
#endif

typedef float Vec __attribute__((vector_size(VEC_BYTES), may_alias));
typedef float LooseVec __attribute__((vector_size(VEC_BYTES), aligned(4), may_alias));

// A store that goes round the caches where the machine has one; `to` is aligned.
static inline void store_around_caches(float* to, Vec value) {
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
}

static inline void store(float* to, Vec value) {
    if (STREAM) {
        store_around_caches(to, value);
    } else {
        *reinterpret_cast<LooseVec*>(to) = value;
    }
}

static void copy_row(const float* from, float* to, long n) {
    constexpr long lanes = VEC_BYTES / 4;
    long j = 0;
    for (; STREAM && j < n && reinterpret_cast<unsigned long>(to + j) % VEC_BYTES != 0; ++j) {
        to[j] = from[j];
    }
    for (; j + UNROLL * lanes <= n; j += UNROLL * lanes) {
        Vec values[UNROLL];
#pragma GCC unroll 8
        for (int u = 0; u < UNROLL; ++u) {
            values[u] = *reinterpret_cast<const LooseVec*>(from + j + u * lanes);
        }
#pragma GCC unroll 8
        for (int u = 0; u < UNROLL; ++u) {
            store(to + j + u * lanes, values[u]);
        }
    }
    for (; j < n; ++j) {
        to[j] = from[j];
    }
}

static void clear_row(float* to, long n) {
    constexpr long lanes = VEC_BYTES / 4;
    long j = 0;
    for (; STREAM && j < n && reinterpret_cast<unsigned long>(to + j) % VEC_BYTES != 0; ++j) {
        to[j] = 0.0F;
    }
    for (; j + lanes <= n; j += lanes) {
        store(to + j, Vec{});
    }
    for (; j < n; ++j) {
        to[j] = 0.0F;
    }
}

// Makes written rows visible, where the stores need it.
static void end_rows() {
#if defined(__SSE__)
    __builtin_ia32_sfence();
#endif
}
// endregion: row

// region: tokens
#ifndef AHEAD
#define AHEAD 4  // tune: 0, 1, 2, 4, 8, 16
#endif
#ifndef LINES_AHEAD
#define LINES_AHEAD 4  // tune: 1, 2, 4, 8, 32
#endif

static void all_tokens(const float* table, const int* ids, float* out, long vocab, long dim,
                       long tokens) {
    static_cast<void>(vocab);
    for (long t = 0; t < tokens; ++t) {
        if (AHEAD > 0 && t + AHEAD < tokens && ids[t + AHEAD] >= 0) {
            const float* later = table + ids[t + AHEAD] * dim;
            for (long j = 0; j < dim && j < LINES_AHEAD * 16; j += 16) {
                __builtin_prefetch(later + j);
            }
        }
        if (ids[t] < 0) {
            clear_row(out + t * dim, dim);
        } else {
            copy_row(table + ids[t] * dim, out + t * dim, dim);
        }
    }
    end_rows();
}
// endregion: tokens

extern "C" void launch(const float* table, const int* ids, float* out, int vocab, int dim,
                       int tokens) {
    all_tokens(table, ids, out, vocab, dim, tokens);
}
