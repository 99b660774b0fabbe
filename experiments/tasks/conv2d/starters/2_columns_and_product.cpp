// Convolution as a matrix product (im2col): what each output point meets is written out as a
// column, for a tile of points at a time, and the filters multiply the tile with register tiles of
// their own.

#include <cstdlib>

// region: padding
#ifndef ZERO_ONCE
#define ZERO_ONCE 1  // tune: 0, 1
#endif

// The c planes of an image, h x w, with `top` rows and `left` columns of zeros before them and as
// many after them as make ph x pw; what lies beyond that is left out. An image that needs no border
// is used where it lies. ZERO_ONCE: the zeros of a border stay for the next image of one shape.
static const float* padded_image(const float* x, long c, long h, long w, long top, long left,
                                 long ph, long pw) {
    static float* space = nullptr;
    static long capacity = 0;
    static long shape[7] = {};
    if (h == ph && w == pw && top == 0 && left == 0) {
        return x;
    }
    const long wanted[7] = {c, h, w, top, left, ph, pw};
    const bool known = __builtin_memcmp(shape, wanted, sizeof shape) == 0;
    if (c * ph * pw > capacity) {
        std::free(space);
        capacity = c * ph * pw;
        space = static_cast<float*>(std::malloc(capacity * sizeof(float)));
    }
    if (!ZERO_ONCE || !known) {
        __builtin_memset(space, 0, c * ph * pw * sizeof(float));
        __builtin_memcpy(shape, wanted, sizeof shape);
    }
    const long rows = h < ph - top ? h : ph - top;
    const long columns = w < pw - left ? w : pw - left;
    for (long plane = 0; plane < c; ++plane) {
        float* to = space + (plane * ph + top) * pw + left;
        for (long i = 0; i < rows; ++i) {
            __builtin_memcpy(to + i * pw, x + (plane * h + i) * w, columns * sizeof(float));
        }
    }
    return space;
}
// endregion: padding

// region: image
#ifndef VEC_BYTES
#define VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef FILTERS
#define FILTERS 4  // tune: 1, 2, 4, 6, 8, 12
#endif
#ifndef NV
#define NV 2  // tune: 1, 2, 3, 4
#endif
#ifndef TILE_VECTORS
#define TILE_VECTORS 2  // tune: 1, 2, 4, 8
#endif

typedef float Vec __attribute__((vector_size(VEC_BYTES)));
typedef float LooseVec __attribute__((vector_size(VEC_BYTES), aligned(4), may_alias));

enum : long {
    k_lanes = VEC_BYTES / 4,
    k_block = NV * k_lanes,           // points that a register tile covers
    k_tile = TILE_VECTORS * k_block,  // points whose columns are written out together
};

// Column [0, k_tile) of the matrix for output points [first, first + count): taps x k_tile, filled
// up with zeros.
static void write_columns(const float* p, long c, long ph, long pw, long r, long s, long stride,
                          long ow, long first, long count, float* columns) {
    for (long channel = 0; channel < c; ++channel) {
        for (long u = 0; u < r; ++u) {
            for (long v = 0; v < s; ++v, columns += k_tile) {
                const float* from = p + (channel * ph + u) * pw + v;
                long i = first / ow;
                long j = first % ow;
                for (long done = 0; done < count;) {
                    const long run = ow - j < count - done ? ow - j : count - done;
                    const float* line = from + i * stride * pw + j * stride;
                    for (long x = 0; x < run; ++x) {
                        columns[done + x] = line[x * stride];
                    }
                    done += run;
                    j = 0;
                    ++i;
                }
                for (long x = count; x < k_tile; ++x) {
                    columns[x] = 0.0F;
                }
            }
        }
    }
}

// `rows` (at most FILTERS) filters times one register tile of points; `width` of them are stored.
template <int rows>
static void multiply_tile(const float* f, long taps, const float* columns, float* y, long points,
                          long width) {
    Vec sums[rows][NV] = {};
    for (long t = 0; t < taps; ++t) {
        Vec values[NV];
#pragma GCC unroll 16
        for (int v = 0; v < NV; ++v) {
            values[v] = *reinterpret_cast<const LooseVec*>(columns + t * k_tile + v * k_lanes);
        }
#pragma GCC unroll 16
        for (int q = 0; q < rows; ++q) {
            const float factor = f[q * taps + t];
#pragma GCC unroll 16
            for (int v = 0; v < NV; ++v) {
                sums[q][v] += factor * values[v];
            }
        }
    }
    for (long q = 0; q < rows; ++q) {
        __builtin_memcpy(y + q * points, sums[q], width * sizeof(float));
    }
}

// y (k x oh x ow) from a padded image (c x ph x pw) and k filters (c x r x s).
static void convolve_image(const float* p, const float* f, float* y, long c, long ph, long pw,
                           long k, long r, long s, long stride, long oh, long ow) {
    static float* columns = nullptr;
    static long capacity = 0;
    const long taps = c * r * s;
    const long points = oh * ow;
    if (taps * k_tile > capacity) {
        std::free(columns);
        capacity = taps * k_tile;
        columns = static_cast<float*>(std::malloc(capacity * sizeof(float)));
    }
    for (long first = 0; first < points; first += k_tile) {
        const long count = k_tile < points - first ? k_tile : points - first;
        write_columns(p, c, ph, pw, r, s, stride, ow, first, count, columns);
        for (long x = 0; x < count; x += k_block) {
            const long width = k_block < count - x ? k_block : count - x;
            long q = 0;
            for (; q + FILTERS <= k; q += FILTERS) {
                multiply_tile<FILTERS>(f + q * taps, taps, columns + x, y + q * points + first + x,
                                       points, width);
            }
            for (; q < k; ++q) {
                multiply_tile<1>(f + q * taps, taps, columns + x, y + q * points + first + x,
                                 points, width);
            }
        }
    }
}
// endregion: image

extern "C" void launch(const float* x, const float* f, float* y, int n, int c, int h, int w, int k,
                       int r, int s, int stride) {
    const long oh = (h + stride - 1L) / stride;
    const long ow = (w + stride - 1L) / stride;
    const long ph = (oh - 1) * stride + r;
    const long pw = (ow - 1) * stride + s;
    for (long image = 0; image < n; ++image) {
        const float* p =
            padded_image(x + image * c * h * w, c, h, w, (r - 1) / 2, (s - 1) / 2, ph, pw);
        convolve_image(p, f, y + image * k * oh * ow, c, ph, pw, k, r, s, stride, oh, ow);
    }
}
