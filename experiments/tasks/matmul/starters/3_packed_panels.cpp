// Packed panels (the layout of Goto and van de Geijn, "Anatomy of high-performance matrix
// multiplication"): a block of A and strips of B are copied to dense scratch, so that the kernel
// reads contiguous memory with strides known to the compiler.

// region: block_kernel
// c (m x n, row stride ldc) = or += a (m x k, lda) times b (k x n, ldb).
#ifndef VEC_BYTES
#define VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef MR
#define MR 4  // tune: 2, 4, 6, 8, 10, 12, 14
#endif
#ifndef NV
#define NV 1  // tune: 1, 2, 3, 4
#endif
#ifndef UNROLL_K
#define UNROLL_K 1  // tune: 1, 2, 4
#endif
#ifndef PREFETCH_ROWS
#define PREFETCH_ROWS 0  // tune: 0, 8
#endif
#ifndef PREFETCH_C
#define PREFETCH_C 0  // tune: 0, 1
#endif

typedef float Vec __attribute__((vector_size(VEC_BYTES)));
typedef float LooseVec __attribute__((vector_size(VEC_BYTES), aligned(4), may_alias));

enum : long { k_lanes = VEC_BYTES / 4, k_tile_columns = NV * k_lanes };

static inline void load_columns(const float* b, Vec (&columns)[NV]) {
#pragma GCC unroll 16
    for (int v = 0; v < NV; ++v) {
        columns[v] = *reinterpret_cast<const LooseVec*>(b + v * k_lanes);
    }
}

// One MR x k_tile_columns tile into dense `sums`; columns of the next step are loaded while the
// current ones are used.
static inline void multiply_tile(const float* a, long lda, const float* b, long ldb, long k,
                                 Vec (&sums)[MR][NV]) {
    Vec columns[NV];
    load_columns(b, columns);
    const auto step = [&](long p, long next) __attribute__((always_inline)) {
        Vec ahead[NV];
        load_columns(b + next * ldb, ahead);
        if (PREFETCH_ROWS > 0) {
#pragma GCC unroll 16
            for (long byte = 0; byte < NV * VEC_BYTES; byte += 64) {
                __builtin_prefetch(b + (p + PREFETCH_ROWS) * ldb + byte / 4);
            }
        }
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) {
            const float factor = a[r * lda + p];
#pragma GCC unroll 16
            for (int v = 0; v < NV; ++v) {
                sums[r][v] += factor * columns[v];
            }
        }
#pragma GCC unroll 16
        for (int v = 0; v < NV; ++v) {
            columns[v] = ahead[v];
        }
    };
    long p = 0;
    for (; p + UNROLL_K < k; p += UNROLL_K) {
#pragma GCC unroll 16
        for (int u = 0; u < UNROLL_K; ++u) {
            step(p + u, p + u + 1);
        }
    }
    for (; p < k; ++p) {
        step(p, p + 1 < k ? p + 1 : p);
    }
}

// Stores the part of a tile that no neighbour has stored.
static inline void store_tile(const Vec (&sums)[MR][NV], float* c, long ldc, bool accumulate,
                              long first_row, long first_column) {
    if (first_row == 0 && first_column == 0) {
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) {
#pragma GCC unroll 16
            for (int v = 0; v < NV; ++v) {
                LooseVec* to = reinterpret_cast<LooseVec*>(c + r * ldc + v * k_lanes);
                *to = accumulate ? *to + sums[r][v] : sums[r][v];
            }
        }
        return;
    }
    float values[MR][k_tile_columns];
    __builtin_memcpy(values, sums, sizeof values);
    for (long r = first_row; r < MR; ++r) {
        for (long j = first_column; j < k_tile_columns; ++j) {
            float* to = c + r * ldc + j;
            *to = accumulate ? *to + values[r][j] : values[r][j];
        }
    }
}

// Blocks narrower or lower than one tile.
[[gnu::noinline]] static void small_block(const float* a, long lda, const float* b, long ldb,
                                          float* c, long ldc, long m, long n, long k,
                                          bool accumulate) {
    for (long i = 0; i < m; ++i) {
        for (long j = 0; !accumulate && j < n; ++j) {
            c[i * ldc + j] = 0.0F;
        }
        for (long p = 0; p < k; ++p) {
            for (long j = 0; j < n; ++j) {
                c[i * ldc + j] += a[i * lda + p] * b[p * ldb + j];
            }
        }
    }
}

static void block_kernel(const float* a, long lda, const float* b, long ldb, float* c, long ldc,
                         long m, long n, long k, bool accumulate) {
    if (m < MR || n < k_tile_columns) {
        small_block(a, lda, b, ldb, c, ldc, m, n, k, accumulate);
        return;
    }
    for (long j = 0; j < n; j += k_tile_columns) {
        const long column = j + k_tile_columns <= n ? j : n - k_tile_columns;
        for (long i = 0; i < m; i += MR) {
            const long row = i + MR <= m ? i : m - MR;
            float* to = c + row * ldc + column;
            for (int r = 0; PREFETCH_C && r < MR; ++r) {
                __builtin_prefetch(to + r * ldc, 1);
                __builtin_prefetch(to + r * ldc + k_tile_columns - 1, 1);
            }
            Vec sums[MR][NV] = {};
            multiply_tile(a + row * lda, lda, b + column, ldb, k, sums);
            store_tile(sums, to, ldc, accumulate, i - row, j - column);
        }
    }
}
// endregion: block_kernel

// region: blocking
#ifndef MC
#define MC 64  // tune: 64, 128, 256, 512
#endif
#ifndef KC
#define KC 64  // tune: 64, 128, 256, 512
#endif
#ifndef NC
#define NC 256  // tune: 256, 512, 1024
#endif
#ifndef STRIP
#define STRIP 16  // tune: 16, 32, 48, 64, 96
#endif
#ifndef PAD_A
#define PAD_A 0  // tune: 0, 16
#endif

enum : long { k_a_stride = KC + PAD_A, k_strips = (NC + STRIP - 1) / STRIP };

alignas(64) static float packed_a[MC * k_a_stride];
alignas(64) static float packed_b[k_strips * KC * STRIP];
alignas(64) static float edge[MC * STRIP];

static long smaller(long x, long y) {
    return x < y ? x : y;
}

static void pack_a(const float* a, long lda, long m, long k) {
    for (long i = 0; i < m; ++i) {
        for (long p = 0; p < k; ++p) {
            packed_a[i * k_a_stride + p] = a[i * lda + p];
        }
    }
}

// Strips of STRIP columns, one after the other; the last is filled up with zeros.
static void pack_b(const float* b, long ldb, long k, long n) {
    for (long j = 0; j < n; j += STRIP) {
        float* strip = packed_b + j * KC;
        const long width = smaller(STRIP, n - j);
        for (long p = 0; p < k; ++p) {
            const float* from = b + p * ldb + j;
            float* to = strip + p * STRIP;
            if (width == STRIP) {
                for (long x = 0; x < STRIP; ++x) {
                    to[x] = from[x];
                }
            } else {
                for (long x = 0; x < STRIP; ++x) {
                    to[x] = x < width ? from[x] : 0.0F;
                }
            }
        }
    }
}

static void multiply_strip(const float* strip, float* c, long ldc, long m, long width, long k,
                           bool accumulate) {
    const bool whole = width == STRIP;
    block_kernel(packed_a, k_a_stride, strip, STRIP, whole ? c : edge, whole ? ldc : STRIP, m,
                 STRIP, k, whole && accumulate);
    for (long i = 0; !whole && i < m; ++i) {
        for (long j = 0; j < width; ++j) {
            const float old = accumulate ? c[i * ldc + j] : 0.0F;
            c[i * ldc + j] = old + edge[i * STRIP + j];
        }
    }
}

static void blocked_multiply(const float* a, const float* b, float* c, long m, long n, long k) {
    for (long j = 0; j < n; j += NC) {
        const long columns = smaller(NC, n - j);
        for (long p = 0; p < k; p += KC) {
            const long depth = smaller(KC, k - p);
            pack_b(b + p * n + j, n, depth, columns);
            for (long i = 0; i < m; i += MC) {
                const long rows = smaller(MC, m - i);
                pack_a(a + i * k + p, k, rows, depth);
                for (long s = 0; s < columns; s += STRIP) {
                    multiply_strip(packed_b + s * KC, c + i * n + j + s, n, rows,
                                   smaller(STRIP, columns - s), depth, p > 0);
                }
            }
        }
    }
}
// endregion: blocking

extern "C" void launch(const float* a, const float* b, float* c, int m, int n, int k) {
    blocked_multiply(a, b, c, m, n, k);
}
