// Register tiling: a tile of y of MR rows by NV vectors stays in registers while the loop over k
// runs; x and w are read where they lie. GELU is a polynomial in vector code, applied to each block
// of rows when its last products have been added.

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

// region: gelu
#ifndef GELU_VEC_BYTES
#define GELU_VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef GELU_UNROLL
#define GELU_UNROLL 1  // tune: 1, 2, 4
#endif

typedef float GeluVec __attribute__((vector_size(GELU_VEC_BYTES)));
typedef float LooseGeluVec __attribute__((vector_size(GELU_VEC_BYTES), aligned(4), may_alias));
typedef int GeluInts __attribute__((vector_size(GELU_VEC_BYTES)));

// e^x for x <= 0: 2^whole e^part with |part| <= ln(2) / 2 and the Taylor polynomial for e^part.
static inline GeluVec gelu_exponential(GeluVec x) {
    const GeluVec lowest = -87.0F - GeluVec{};
    x = x > lowest ? x : lowest;
    const GeluInts whole = __builtin_convertvector(x * 1.44269504F - 0.5F, GeluInts);
    const GeluVec count = __builtin_convertvector(whole, GeluVec);
    const GeluVec part = x - count * 0.693359375F + count * 2.12194440e-4F;
    GeluVec p = GeluVec{} + 1.0F / 720;
    p = p * part + 1.0F / 120;
    p = p * part + 1.0F / 24;
    p = p * part + 1.0F / 6;
    p = p * part + 0.5F;
    p = p * part + 1.0F;
    p = p * part + 1.0F;
    return p * reinterpret_cast<GeluVec>((whole + 127) << 23);
}

// gelu(z) = max(z, 0) - |z| erfc(|z| / sqrt(2)) / 2, erfc by Abramowitz and Stegun 7.1.26.
static inline GeluVec gelu(GeluVec z) {
    const GeluVec zero = {};
    const GeluVec size = z > zero ? z : -z;
    const GeluVec scaled = size * 0.70710678F;
    const GeluVec t = 1.0F / (1.0F + 0.3275911F * scaled);
    GeluVec p = GeluVec{} + 1.061405429F;
    p = p * t - 1.453152027F;
    p = p * t + 1.421413741F;
    p = p * t - 0.284496736F;
    p = p * t + 0.254829592F;
    const GeluVec positive = z > zero ? z : zero;
    return positive - 0.5F * size * (p * t) * gelu_exponential(-scaled * scaled);
}

// y = gelu(y + bias)
static void bias_gelu(float* y, const float* bias, long n) {
    constexpr long lanes = GELU_VEC_BYTES / 4;
    long i = 0;
    for (; i + GELU_UNROLL * lanes <= n; i += GELU_UNROLL * lanes) {
#pragma GCC unroll 4
        for (int u = 0; u < GELU_UNROLL; ++u) {
            LooseGeluVec* at = reinterpret_cast<LooseGeluVec*>(y + i + u * lanes);
            *at = gelu(*at + *reinterpret_cast<const LooseGeluVec*>(bias + i + u * lanes));
        }
    }
    for (; i < n; i += lanes) {
        const long count = n - i < lanes ? n - i : lanes;
        GeluVec sum = {};
        GeluVec shift = {};
        __builtin_memcpy(&sum, y + i, count * sizeof(float));
        __builtin_memcpy(&shift, bias + i, count * sizeof(float));
        sum = gelu(sum + shift);
        __builtin_memcpy(y + i, &sum, count * sizeof(float));
    }
}
// endregion: gelu

// region: product
#ifndef BLOCK_M
#define BLOCK_M 32  // tune: 8, 16, 32, 64, 96, 128, 256
#endif
#ifndef BLOCK_K
#define BLOCK_K 64  // tune: 32, 64, 128, 256, 512
#endif

// One entry of the batch: whole rows of w, while a block of x stays in the cache.
static void product(const float* x, const float* w, const float* bias, float* y, long m, long n,
                    long k) {
    for (long i = 0; i < m; i += BLOCK_M) {
        const long rows = BLOCK_M < m - i ? BLOCK_M : m - i;
        for (long p = 0; p < k; p += BLOCK_K) {
            const long depth = BLOCK_K < k - p ? BLOCK_K : k - p;
            block_kernel(x + i * k + p, k, w + p * n, n, y + i * n, n, rows, n, depth, p > 0);
        }
        for (long r = 0; r < rows; ++r) {
            bias_gelu(y + (i + r) * n, bias, n);
        }
    }
}
// endregion: product

extern "C" void launch(const float* x, const float* w, const float* bias, float* y, int batch,
                       int m, int n, int k) {
    for (long b = 0; b < batch; ++b) {
        product(x + b * m * k, w + b * k * n, bias + b * n, y + b * m * n, m, n, k);
    }
}
