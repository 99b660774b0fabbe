// Loop tiling only: the three loops, interchanged so that the innermost one runs along rows of B
// and C, and cut into tiles that fit a cache. Vector code is left to the compiler.

// region: block_kernel
// c (m x n, row stride ldc) = or += a (m x k, lda) times b (k x n, ldb).
#ifndef JAM
#define JAM 1  // tune: 1, 2, 4, 8
#endif

static void block_kernel(const float* __restrict a, long lda, const float* __restrict b, long ldb,
                         float* __restrict c, long ldc, long m, long n, long k, bool accumulate) {
    for (long i = 0; i < m; ++i) {
        float* __restrict row = c + i * ldc;
        if (!accumulate) {
            for (long j = 0; j < n; ++j) {
                row[j] = 0.0F;
            }
        }
        long p = 0;
        for (; p + JAM <= k; p += JAM) {
            const float* factor = a + i * lda + p;
            const float* from = b + p * ldb;
            for (long j = 0; j < n; ++j) {
                float sum = row[j];
#pragma GCC unroll 8
                for (int u = 0; u < JAM; ++u) {
                    sum += factor[u] * from[u * ldb + j];
                }
                row[j] = sum;
            }
        }
        for (; p < k; ++p) {
            const float factor = a[i * lda + p];
            const float* from = b + p * ldb;
            for (long j = 0; j < n; ++j) {
                row[j] += factor * from[j];
            }
        }
    }
}
// endregion: block_kernel

// region: blocking
#ifndef TILE_M
#define TILE_M 32  // tune: 8, 16, 32, 64, 128, 256, 512
#endif
#ifndef TILE_N
#define TILE_N 64  // tune: 32, 64, 128, 256, 512, 1024
#endif
#ifndef TILE_K
#define TILE_K 16  // tune: 8, 16, 32, 64, 128, 256, 512
#endif
#ifndef COLUMNS_OUTSIDE
#define COLUMNS_OUTSIDE 0  // tune: 0, 1
#endif

static long smaller(long x, long y) {
    return x < y ? x : y;
}

static void blocked_multiply(const float* a, const float* b, float* c, long m, long n, long k) {
    const long outer_end = COLUMNS_OUTSIDE ? n : m;
    const long outer_step = COLUMNS_OUTSIDE ? TILE_N : TILE_M;
    const long inner_end = COLUMNS_OUTSIDE ? m : n;
    const long inner_step = COLUMNS_OUTSIDE ? TILE_M : TILE_N;
    for (long outer = 0; outer < outer_end; outer += outer_step) {
        for (long p = 0; p < k; p += TILE_K) {
            for (long inner = 0; inner < inner_end; inner += inner_step) {
                const long i = COLUMNS_OUTSIDE ? inner : outer;
                const long j = COLUMNS_OUTSIDE ? outer : inner;
                block_kernel(a + i * k + p, k, b + p * n + j, n, c + i * n + j, n,
                             smaller(TILE_M, m - i), smaller(TILE_N, n - j), smaller(TILE_K, k - p),
                             p > 0);
            }
        }
    }
}
// endregion: blocking

extern "C" void launch(const float* a, const float* b, float* c, int m, int n, int k) {
    blocked_multiply(a, b, c, m, n, k);
}
