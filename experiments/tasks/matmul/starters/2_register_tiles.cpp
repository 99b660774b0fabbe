// Register tiling: a tile of C of MR rows by NV vectors stays in registers while the loop over k
// runs; A and B are read where they lie. Edges are done by a full tile that overlaps its
// neighbour and stores only the elements that are new.

// region: block_kernel
// c (m x n, row stride ldc) = or += a (m x k, lda) times b (k x n, ldb).
#ifndef VEC_BYTES
#define VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef MR
#define MR 4  // tune: 1, 2, 3, 4, 5, 6, 8, 10, 12, 14
#endif
#ifndef NV
#define NV 2  // tune: 1, 2, 3, 4, 6
#endif
#ifndef UNROLL_K
#define UNROLL_K 1  // tune: 1, 2, 4
#endif

typedef float Vec __attribute__((vector_size(VEC_BYTES)));
typedef float LooseVec __attribute__((vector_size(VEC_BYTES), aligned(4), may_alias));

enum : long { k_lanes = VEC_BYTES / 4, k_tile_columns = NV * k_lanes };

// One MR x k_tile_columns tile; rows before first_row and columns before first_column belong to a
// neighbour and are left alone.
static inline void tile(const float* a, long lda, const float* b, long ldb, float* c, long ldc,
                        long k, bool accumulate, long first_row, long first_column) {
    Vec sums[MR][NV] = {};
    const auto step = [&](long p) __attribute__((always_inline)) {
        Vec columns[NV];
#pragma GCC unroll 16
        for (int v = 0; v < NV; ++v) {
            columns[v] = *reinterpret_cast<const LooseVec*>(b + p * ldb + v * k_lanes);
        }
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) {
            const float factor = a[r * lda + p];
#pragma GCC unroll 16
            for (int v = 0; v < NV; ++v) {
                sums[r][v] += factor * columns[v];
            }
        }
    };
    long p = 0;
    for (; p + UNROLL_K <= k; p += UNROLL_K) {
#pragma GCC unroll 16
        for (int u = 0; u < UNROLL_K; ++u) {
            step(p + u);
        }
    }
    for (; p < k; ++p) {
        step(p);
    }
    if (first_column == 0) {
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) {
            if (r >= first_row) {
#pragma GCC unroll 16
                for (int v = 0; v < NV; ++v) {
                    LooseVec* to = reinterpret_cast<LooseVec*>(c + r * ldc + v * k_lanes);
                    *to = accumulate ? *to + sums[r][v] : sums[r][v];
                }
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
            tile(a + row * lda, lda, b + column, ldb, c + row * ldc + column, ldc, k, accumulate,
                 i - row, j - column);
        }
    }
}
// endregion: block_kernel

// region: blocking
#ifndef BLOCK_M
#define BLOCK_M 32  // tune: 32, 64, 96, 128, 192, 256, 512
#endif
#ifndef BLOCK_K
#define BLOCK_K 64  // tune: 32, 64, 128, 192, 256, 384, 512
#endif

static long smaller(long x, long y) {
    return x < y ? x : y;
}

// Whole rows of B: the kernel walks its columns, while a block of A stays in the cache.
static void blocked_multiply(const float* a, const float* b, float* c, long m, long n, long k) {
    for (long p = 0; p < k; p += BLOCK_K) {
        for (long i = 0; i < m; i += BLOCK_M) {
            block_kernel(a + i * k + p, k, b + p * n, n, c + i * n, n, smaller(BLOCK_M, m - i), n,
                         smaller(BLOCK_K, k - p), p > 0);
        }
    }
}
// endregion: blocking

extern "C" void launch(const float* a, const float* b, float* c, int m, int n, int k) {
    blocked_multiply(a, b, c, m, n, k);
}
