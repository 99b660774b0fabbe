// Loop tiling only: the three loops of a product, interchanged so that the innermost one runs along
// rows of w and y; bias and GELU follow from the C library. Vector code is left to the compiler.

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

// region: gelu
#ifndef ERFC_KIND
#define ERFC_KIND 0  // tune: 0, 1
#endif

// erfc(z) for z >= 0: from the C library, or Abramowitz and Stegun 7.1.26 (error below 1.5e-7).
static inline float complementary_error(float z) {
    if (ERFC_KIND == 0) {
        return __builtin_erfcf(z);
    }
    const float t = 1.0F / (1.0F + 0.3275911F * z);
    float p = 1.061405429F;
    p = p * t - 1.453152027F;
    p = p * t + 1.421413741F;
    p = p * t - 0.284496736F;
    p = p * t + 0.254829592F;
    return p * t * __builtin_expf(-z * z);
}

// y = gelu(y + bias); gelu(z) = max(z, 0) - |z| erfc(|z| / sqrt(2)) / 2.
static void bias_gelu(float* y, const float* bias, long n) {
    for (long i = 0; i < n; ++i) {
        const float z = y[i] + bias[i];
        const float size = __builtin_fabsf(z);
        y[i] = (z > 0.0F ? z : 0.0F) - 0.5F * size * complementary_error(size * 0.70710678F);
    }
}
// endregion: gelu

// region: product
#ifndef TILE_M
#define TILE_M 16  // tune: 4, 8, 16, 32, 64, 128
#endif
#ifndef TILE_K
#define TILE_K 16  // tune: 8, 16, 32, 64, 128, 256
#endif
#ifndef GELU_AT_END
#define GELU_AT_END 1  // tune: 0, 1
#endif

// One entry of the batch. GELU_AT_END: bias and GELU in a pass of their own over the whole of y.
static void product(const float* x, const float* w, const float* bias, float* y, long m, long n,
                    long k) {
    for (long i = 0; i < m; i += TILE_M) {
        const long rows = TILE_M < m - i ? TILE_M : m - i;
        for (long p = 0; p < k; p += TILE_K) {
            const long depth = TILE_K < k - p ? TILE_K : k - p;
            block_kernel(x + i * k + p, k, w + p * n, n, y + i * n, n, rows, n, depth, p > 0);
        }
        for (long r = 0; !GELU_AT_END && r < rows; ++r) {
            bias_gelu(y + (i + r) * n, bias, n);
        }
    }
    for (long r = 0; GELU_AT_END && r < m; ++r) {
        bias_gelu(y + r * n, bias, n);
    }
}
// endregion: product

extern "C" void launch(const float* x, const float* w, const float* bias, float* y, int batch,
                       int m, int n, int k) {
    for (long b = 0; b < batch; ++b) {
        product(x + b * m * k, w + b * k * n, bias + b * n, y + b * m * n, m, n, k);
    }
}
