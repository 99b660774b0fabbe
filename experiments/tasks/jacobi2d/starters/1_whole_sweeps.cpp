// One sweep over the whole grid after the other, between the output and a scratch grid. Plain
// loops over column tiles; vector code is left to the compiler.

#include <cstdlib>

// region: row
#ifndef UNROLL
#define UNROLL 1  // tune: 1, 2, 4, 8, 16, 32
#endif

// Columns [begin, end) of one inner row of a sweep.
static void relax_row(const float* __restrict north, const float* __restrict here,
                      const float* __restrict south, float* __restrict to, long begin, long end) {
    long j = begin;
    for (; j + UNROLL <= end; j += UNROLL) {
        for (int u = 0; u < UNROLL; ++u) {
            const long c = j + u;
            to[c] = 0.2F * (here[c] + here[c - 1] + here[c + 1] + north[c] + south[c]);
        }
    }
    for (; j < end; ++j) {
        to[j] = 0.2F * (here[j] + here[j - 1] + here[j + 1] + north[j] + south[j]);
    }
}
// endregion: row

// region: sweeps
#ifndef COLUMN_TILE
#define COLUMN_TILE 32  // tune: 32, 64, 128, 256, 512, 1024, 4096
#endif
#ifndef ROW_TILE
#define ROW_TILE 8  // tune: 4, 8, 16, 32, 128, 1024
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

static void one_sweep(const float* from, float* to, long h, long w) {
    for (long j = 0; j < w; ++j) {
        to[j] = from[j];
        to[(h - 1) * w + j] = from[(h - 1) * w + j];
    }
    for (long i = 1; i + 1 < h; ++i) {
        to[i * w] = from[i * w];
        to[i * w + w - 1] = from[i * w + w - 1];
    }
    for (long first = 1; first < h - 1; first += ROW_TILE) {
        const long last = first + ROW_TILE < h - 1 ? first + ROW_TILE : h - 1;
        for (long begin = 1; begin < w - 1; begin += COLUMN_TILE) {
            const long end = begin + COLUMN_TILE < w - 1 ? begin + COLUMN_TILE : w - 1;
            for (long i = first; i < last; ++i) {
                const float* here = from + i * w;
                relax_row(here - w, here, here + w, to + i * w, begin, end);
            }
        }
    }
}

static void all_sweeps(const float* u, float* v, long h, long w, long sweeps) {
    float* other = sweeps > 1 ? scratch(h * w) : nullptr;
    const float* from = u;
    for (long s = 0; s < sweeps; ++s) {
        float* to = (sweeps - s) % 2 != 0 ? v : other;
        one_sweep(from, to, h, w);
        from = to;
    }
}
// endregion: sweeps

extern "C" void launch(const float* u, float* v, int h, int w, int sweeps) {
    all_sweeps(u, v, h, w, sweeps);
}
