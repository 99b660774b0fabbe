// Strips of columns: STRIP columns of w are packed so that the kernel reads contiguous memory with
// a stride known to the compiler; each block of rows is multiplied over the whole of k at once and
// gets its bias and GELU while it is in the first-level cache, in scratch, from where it is copied.

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

// region: gelu
#ifndef GELU_VEC_BYTES
#define GELU_VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef GELU_UNROLL
#define GELU_UNROLL 2  // tune: 1, 2, 4
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
#ifndef STRIP
#define STRIP 32  // tune: 16, 32, 48, 64, 96, 128
#endif
#ifndef ROWS
#define ROWS 16  // tune: 8, 16, 24, 32, 48, 64, 96
#endif
#ifndef DEPTH
#define DEPTH 256  // tune: 64, 128, 256, 512
#endif

alignas(64) static float packed[DEPTH * STRIP];
alignas(64) static float sums[ROWS * STRIP];
alignas(64) static float strip_bias[STRIP];

// Columns [0, width) of a strip of w, filled up with zeros.
static void pack_strip(const float* w, long n, long depth, long width) {
    for (long p = 0; p < depth; ++p) {
        float* to = packed + p * STRIP;
        if (width == STRIP) {
            __builtin_memcpy(to, w + p * n, STRIP * sizeof(float));
        } else {
            for (long j = 0; j < STRIP; ++j) {
                to[j] = j < width ? w[p * n + j] : 0.0F;
            }
        }
    }
}

// Rows of y in a strip: what earlier parts of k gave is fetched, `last` adds bias and GELU.
static void multiply_rows(const float* x, float* y, long n, long k, long rows, long width,
                          long depth, bool first, bool last) {
    for (long r = 0; !first && r < rows; ++r) {
        __builtin_memcpy(sums + r * STRIP, y + r * n, width * sizeof(float));
    }
    block_kernel(x, k, packed, STRIP, sums, STRIP, rows, STRIP, depth, !first);
    if (last) {
        for (long r = 0; r < rows; ++r) {
            bias_gelu(sums + r * STRIP, strip_bias, width);
        }
    }
    for (long r = 0; r < rows; ++r) {
        __builtin_memcpy(y + r * n, sums + r * STRIP, width * sizeof(float));
    }
}

// One entry of the batch.
static void product(const float* x, const float* w, const float* bias, float* y, long m, long n,
                    long k) {
    for (long j = 0; j < n; j += STRIP) {
        const long width = STRIP < n - j ? STRIP : n - j;
        __builtin_memcpy(strip_bias, bias + j, width * sizeof(float));
        for (long p = 0; p < k; p += DEPTH) {
            const long depth = DEPTH < k - p ? DEPTH : k - p;
            pack_strip(w + p * n + j, n, depth, width);
            for (long i = 0; i < m; i += ROWS) {
                const long rows = ROWS < m - i ? ROWS : m - i;
                multiply_rows(x + i * k + p, y + i * n + j, n, k, rows, width, depth, p == 0,
                              p + depth == k);
            }
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
