// Output channels in the lanes: the filters are packed so that those of one tap lie side by side,
// and a register tile of PIXELS points by NV vectors of channels takes one value of the image per
// tap and point. It needs no shifted vectors, whatever the stride.

#include <cstdlib>

// region: padding
#ifndef ZERO_ONCE
#define ZERO_ONCE 0  // tune: 0, 1
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
#ifndef LANE_BYTES
#define LANE_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef NV
#define NV 1  // tune: 1, 2, 4
#endif
#ifndef PIXELS
#define PIXELS 4  // tune: 1, 2, 4, 6, 8, 12
#endif
#ifndef ROWS_OUTSIDE
#define ROWS_OUTSIDE 0  // tune: 0, 1
#endif

typedef float LaneVec __attribute__((vector_size(LANE_BYTES)));
typedef float LooseLaneVec __attribute__((vector_size(LANE_BYTES), aligned(4), may_alias));

enum : long { k_lane_count = LANE_BYTES / 4, k_channels = NV * k_lane_count };

// Groups of k_channels filters: taps x k_channels each, the last filled up with zeros.
static const float* pack_filters(const float* f, long taps, long k) {
    static float* packed = nullptr;
    static long capacity = 0;
    const long groups = (k + k_channels - 1) / k_channels;
    if (groups * taps * k_channels > capacity) {
        std::free(packed);
        capacity = groups * taps * k_channels;
        packed = static_cast<float*>(std::malloc(capacity * sizeof(float)));
    }
    for (long group = 0; group < groups; ++group) {
        for (long q = 0; q < k_channels; ++q) {
            const long filter = group * k_channels + q;
            for (long t = 0; t < taps; ++t) {
                packed[(group * taps + t) * k_channels + q] =
                    filter < k ? f[filter * taps + t] : 0.0F;
            }
        }
    }
    return packed;
}

// `pixels` neighbours in a row for one group of channels, of which `channels` are stored.
template <int pixels>
static void convolve_pixels(const float* p, const float* packed, float* y, long c, long ph, long pw,
                            long r, long s, long stride, long plane, long channels) {
    LaneVec sums[pixels][NV] = {};
    for (long channel = 0; channel < c; ++channel) {
        for (long u = 0; u < r; ++u) {
            const float* from = p + (channel * ph + u) * pw;
            for (long v = 0; v < s; ++v, packed += k_channels) {
                LaneVec factors[NV];
#pragma GCC unroll 16
                for (int x = 0; x < NV; ++x) {
                    factors[x] = *reinterpret_cast<const LooseLaneVec*>(packed + x * k_lane_count);
                }
#pragma GCC unroll 16
                for (int j = 0; j < pixels; ++j) {
                    const float value = from[v + j * stride];
#pragma GCC unroll 16
                    for (int x = 0; x < NV; ++x) {
                        sums[j][x] += value * factors[x];
                    }
                }
            }
        }
    }
    float values[pixels][k_channels];
    __builtin_memcpy(values, sums, sizeof values);
    for (long q = 0; q < channels; ++q) {
        for (long j = 0; j < pixels; ++j) {
            y[q * plane + j] = values[j][q];
        }
    }
}

// y (k x oh x ow) from a padded image (c x ph x pw) and k filters (c x r x s). ROWS_OUTSIDE: all
// groups of channels take from a row of the image before the next row is begun.
static void convolve_image(const float* p, const float* f, float* y, long c, long ph, long pw,
                           long k, long r, long s, long stride, long oh, long ow) {
    const long taps = c * r * s;
    const float* packed = pack_filters(f, taps, k);
    const long groups = (k + k_channels - 1) / k_channels;
    for (long step = 0; step < groups * oh; ++step) {
        const long group = ROWS_OUTSIDE ? step % groups : step / oh;
        const long i = ROWS_OUTSIDE ? step / groups : step % oh;
        const long first = group * k_channels;
        const long channels = k_channels < k - first ? k_channels : k - first;
        const float* from = p + i * stride * pw;
        const float* factors = packed + group * taps * k_channels;
        float* to = y + (first * oh + i) * ow;
        long j = 0;
        for (; j + PIXELS <= ow; j += PIXELS) {
            convolve_pixels<PIXELS>(from + j * stride, factors, to + j, c, ph, pw, r, s, stride,
                                    oh * ow, channels);
        }
        for (; j < ow; ++j) {
            convolve_pixels<1>(from + j * stride, factors, to + j, c, ph, pw, r, s, stride, oh * ow,
                               channels);
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
