// The output is swept in place: before a row is overwritten its old values are kept in one of two
// row buffers, for the row below. Half the memory of two grids. Explicit vectors.

#include <cstdlib>

// region: row
#ifndef VEC_BYTES
#define VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef VECTORS
#define VECTORS 1  // tune: 1, 2, 3, 4, 8
#endif
#ifndef ALIGN_STORES
#define ALIGN_STORES 0  // tune: 0, 1
#endif

typedef float Vec __attribute__((vector_size(VEC_BYTES)));
typedef float LooseVec __attribute__((vector_size(VEC_BYTES), aligned(4), may_alias));

static inline Vec load(const float* from) {
    return *reinterpret_cast<const LooseVec*>(from);
}

// Columns [begin, end) of one inner row of a sweep.
static void relax_row(const float* north, const float* here, const float* south, float* to,
                      long begin, long end) {
    constexpr long lanes = VEC_BYTES / 4;
    constexpr long step = VECTORS * lanes;
    long j = begin;
    for (; ALIGN_STORES && j < end && reinterpret_cast<unsigned long>(to + j) % VEC_BYTES != 0;
         ++j) {
        to[j] = 0.2F * (here[j] + here[j - 1] + here[j + 1] + north[j] + south[j]);
    }
    for (; j + step <= end; j += step) {
        Vec sums[VECTORS];
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; ++v) {
            const long c = j + v * lanes;
            sums[v] =
                (load(north + c) + load(south + c)) + (load(here + c - 1) + load(here + c + 1));
            sums[v] = 0.2F * (sums[v] + load(here + c));
        }
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; ++v) {
            *reinterpret_cast<LooseVec*>(to + j + v * lanes) = sums[v];
        }
    }
    for (; j + lanes <= end; j += lanes) {
        const Vec sum =
            (load(north + j) + load(south + j)) + (load(here + j - 1) + load(here + j + 1));
        *reinterpret_cast<LooseVec*>(to + j) = 0.2F * (sum + load(here + j));
    }
    for (; j < end; ++j) {
        to[j] = 0.2F * (here[j] + here[j - 1] + here[j + 1] + north[j] + south[j]);
    }
}
// endregion: row

// region: sweeps
#ifndef COPY_UNROLL
#define COPY_UNROLL 16  // tune: 4, 16, 64
#endif
#ifndef PREFETCH_ROWS
#define PREFETCH_ROWS 0  // tune: 0, 1, 2, 4
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

static void copy_row(const float* __restrict from, float* __restrict to, long w) {
    long j = 0;
    for (; j + COPY_UNROLL <= w; j += COPY_UNROLL) {
        for (int c = 0; c < COPY_UNROLL; ++c) {
            to[j + c] = from[j + c];
        }
    }
    for (; j < w; ++j) {
        to[j] = from[j];
    }
}

static void sweep_into(const float* u, float* v, long h, long w) {
    copy_row(u, v, w);
    for (long i = 1; i + 1 < h; ++i) {
        const float* here = u + i * w;
        v[i * w] = here[0];
        v[i * w + w - 1] = here[w - 1];
        relax_row(here - w, here, here + w, v + i * w, 1, w - 1);
    }
    copy_row(u + (h - 1) * w, v + (h - 1) * w, w);
}

static void sweep_in_place(float* v, long h, long w, float* above, float* here) {
    copy_row(v, above, w);
    for (long i = 1; i + 1 < h; ++i) {
        float* row = v + i * w;
        for (long j = 0; PREFETCH_ROWS > 0 && j < w; j += 16) {
            __builtin_prefetch(row + (1 + PREFETCH_ROWS) * w + j, 1);
        }
        copy_row(row, here, w);
        relax_row(above, here, row + w, row, 1, w - 1);
        float* spare = above;
        above = here;
        here = spare;
    }
}

static void all_sweeps(const float* u, float* v, long h, long w, long sweeps) {
    const long stride = (w + 15) / 16 * 16 + 16;
    float* rows = sweeps > 1 ? scratch(2 * stride) : nullptr;
    sweep_into(u, v, h, w);
    for (long s = 1; s < sweeps; ++s) {
        sweep_in_place(v, h, w, rows, rows + stride);
    }
}
// endregion: sweeps

extern "C" void launch(const float* u, float* v, int h, int w, int sweeps) {
    all_sweeps(u, v, h, w, sweeps);
}
