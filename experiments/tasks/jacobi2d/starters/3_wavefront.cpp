// Temporal blocking: DEPTH sweeps run through the grid together, each one row behind the one
// before, so that rows between them never leave the cache; each keeps three rows in a ring. The
// grid is read and written once per DEPTH sweeps.

#include <cstdlib>

// region: row
#ifndef VEC_BYTES
#define VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef VECTORS
#define VECTORS 1  // tune: 1, 2, 4, 8
#endif
#ifndef ALIGN
#define ALIGN 0  // tune: 0, 1
#endif
#ifndef SHIFT
#define SHIFT 0  // tune: 0, 1
#endif

typedef float Vec __attribute__((vector_size(VEC_BYTES)));
typedef float LooseVec __attribute__((vector_size(VEC_BYTES), aligned(4), may_alias));

static inline Vec at(const float* row, long column) {
    return *reinterpret_cast<const LooseVec*>(row + column);
}

// The lanes of `here` moved up by one, with the last of `before` in front, and the reverse.
#if VEC_BYTES == 64
static inline Vec west_of(Vec before, Vec here) {
    return __builtin_shufflevector(before, here, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
                                   28, 29, 30);
}

static inline Vec east_of(Vec here, Vec after) {
    return __builtin_shufflevector(here, after, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
                                   16);
}
#elif VEC_BYTES == 32
static inline Vec west_of(Vec before, Vec here) {
    return __builtin_shufflevector(before, here, 7, 8, 9, 10, 11, 12, 13, 14);
}

static inline Vec east_of(Vec here, Vec after) {
    return __builtin_shufflevector(here, after, 1, 2, 3, 4, 5, 6, 7, 8);
}
#else
static inline Vec west_of(Vec before, Vec here) {
    return __builtin_shufflevector(before, here, 3, 4, 5, 6);
}

static inline Vec east_of(Vec here, Vec after) {
    return __builtin_shufflevector(here, after, 1, 2, 3, 4);
}
#endif

// Columns [begin, end) of one inner row of a sweep; some may be computed twice. SHIFT makes the
// neighbours west and east from vectors that are loaded anyway.
static void relax_row(const float* north, const float* here, const float* south, float* to,
                      long begin, long end) {
    constexpr long lanes = VEC_BYTES / 4;
    const auto relax = [&](long c) __attribute__((always_inline)) {
        const Vec sides = at(here, c - 1) + at(here, c + 1);
        const Vec sum = sides + (at(north, c) + at(south, c)) + at(here, c);
        *reinterpret_cast<LooseVec*>(to + c) = 0.2F * sum;
    };
    long j = begin;
    if (end - begin < lanes) {
        for (; j < end; ++j) {
            to[j] = 0.2F * (here[j] + here[j - 1] + here[j + 1] + north[j] + south[j]);
        }
        return;
    }
    if (ALIGN) {
        relax(j);
        j += lanes - reinterpret_cast<unsigned long>(to + j) / 4 % lanes;
    }
    if (SHIFT && j >= lanes) {
        Vec before = at(here, j - lanes);
        Vec middle = j + lanes <= end ? at(here, j) : before;
        for (; j + VECTORS * lanes + lanes <= end; j += VECTORS * lanes) {
#pragma GCC unroll 8
            for (int v = 0; v < VECTORS; ++v) {
                const long c = j + v * lanes;
                const Vec after = at(here, c + lanes);
                const Vec sides = west_of(before, middle) + east_of(middle, after);
                const Vec sum = sides + (at(north, c) + at(south, c)) + middle;
                *reinterpret_cast<LooseVec*>(to + c) = 0.2F * sum;
                before = middle;
                middle = after;
            }
        }
    }
    for (; j + VECTORS * lanes <= end; j += VECTORS * lanes) {
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; ++v) {
            relax(j + v * lanes);
        }
    }
    for (; j < end; j += lanes) {
        relax(j + lanes <= end ? j : end - lanes);
    }
}
// endregion: row

// region: sweeps
#ifndef DEPTH
#define DEPTH 2  // tune: 2, 3, 4, 5, 6, 8
#endif
#ifndef ROW_PAD
#define ROW_PAD 0  // tune: 0, 16, 48
#endif

// At least `count` floats that live until the program ends; only ever grows.
static float* scratch(long count) {
    static float* memory = nullptr;
    static long size = 0;
    if (size < count) {
        std::free(memory);
        memory =
            static_cast<float*>(std::aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64));
        size = memory == nullptr ? 0 : count;
    }
    return memory;
}

// Three rows for each sweep of a pass but its last, which writes to the grid.
struct Rings {
    float* memory;
    long stride;
    float* row(long level, long i) const { return memory + (3 * level + i % 3) * stride; }
};

// `depth` sweeps from `from` to `to`; these may be the same grid when depth is at least 2.
static void pass(const float* from, float* to, long h, long w, long depth, const Rings& rings) {
    for (long front = 0; front < h + depth - 1; ++front) {
        for (long level = 0; level < depth; ++level) {
            const long i = front - level;
            if (i < 0 || i >= h) {
                continue;
            }
            const auto source = [&](long r) {
                return level == 0 ? from + r * w : rings.row(level - 1, r);
            };
            const float* here = source(i);
            float* target = level == depth - 1 ? to + i * w : rings.row(level, i);
            if (i == 0 || i == h - 1) {
                for (long j = 0; j < w; ++j) {
                    target[j] = here[j];
                }
            } else {
                target[0] = here[0];
                target[w - 1] = here[w - 1];
                relax_row(source(i - 1), here, source(i + 1), target, 1, w - 1);
            }
        }
    }
}

static void all_sweeps(const float* u, float* v, long h, long w, long sweeps) {
    const Rings rings{scratch(3 * DEPTH * ((w + 15) / 16 * 16 + ROW_PAD)),
                      (w + 15) / 16 * 16 + ROW_PAD};
    const float* from = u;
    for (long done = 0; done < sweeps;) {
        const long rest = (sweeps - done) % DEPTH;  // a short pass can only be the first
        const long depth = rest != 0 ? rest : DEPTH;
        pass(from, v, h, w, depth, rings);
        from = v;
        done += depth;
    }
}
// endregion: sweeps

extern "C" void launch(const float* u, float* v, int h, int w, int sweeps) {
    all_sweeps(u, v, h, w, sweeps);
}
