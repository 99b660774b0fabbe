// Direct convolution in plain loops: one row of an output plane is the accumulator, and every tap
// of the filter adds a shifted row of the padded image. Vector code is left to the compiler.

#include <cstdlib>

// region: padding
#ifndef FILL_ALL
#define FILL_ALL 0  // tune: 0, 1
#endif

// The c planes of an image, h x w, with `top` rows and `left` columns of zeros before them and as
// many after them as make ph x pw; what lies beyond that is left out. FILL_ALL: zeros everywhere
// first, then the image.
static const float* padded_image(const float* x, long c, long h, long w, long top, long left,
                                 long ph, long pw) {
    static float* space = nullptr;
    static long capacity = 0;
    if (c * ph * pw > capacity) {
        std::free(space);
        capacity = c * ph * pw;
        space = static_cast<float*>(std::malloc(capacity * sizeof(float)));
    }
    const long rows = h < ph - top ? h : ph - top;
    const long columns = w < pw - left ? w : pw - left;
    if (FILL_ALL) {
        __builtin_memset(space, 0, c * ph * pw * sizeof(float));
    }
    for (long plane = 0; plane < c; ++plane) {
        for (long i = 0; i < ph; ++i) {
            float* to = space + (plane * ph + i) * pw;
            if (i < top || i >= top + rows) {
                for (long j = 0; !FILL_ALL && j < pw; ++j) {
                    to[j] = 0.0F;
                }
                continue;
            }
            const float* from = x + (plane * h + i - top) * w;
            for (long j = 0; !FILL_ALL && j < left; ++j) {
                to[j] = 0.0F;
            }
            for (long j = 0; j < columns; ++j) {
                to[left + j] = from[j];
            }
            for (long j = left + columns; !FILL_ALL && j < pw; ++j) {
                to[j] = 0.0F;
            }
        }
    }
    return space;
}
// endregion: padding

// region: image
#ifndef TAPS
#define TAPS 1  // tune: 1, 2, 3, 4, 6, 8
#endif
#ifndef STRIP
#define STRIP 4096  // tune: 16, 32, 64, 4096
#endif
#ifndef PLANES_INSIDE
#define PLANES_INSIDE 0  // tune: 0, 1
#endif

// row += the sum of `taps` filter values times the rows that begin at from + offsets.
static inline void add_taps(const float* __restrict from, const long* offsets, const float* factors,
                            long taps, long stride, float* __restrict row, long ow) {
    long t = 0;
    for (; t + TAPS <= taps; t += TAPS) {
        if (stride == 1) {
            for (long j = 0; j < ow; ++j) {
                float sum = row[j];
#pragma GCC unroll 8
                for (int u = 0; u < TAPS; ++u) {
                    sum += factors[t + u] * from[offsets[t + u] + j];
                }
                row[j] = sum;
            }
        } else {
            for (long j = 0; j < ow; ++j) {
                float sum = row[j];
#pragma GCC unroll 8
                for (int u = 0; u < TAPS; ++u) {
                    sum += factors[t + u] * from[offsets[t + u] + j * stride];
                }
                row[j] = sum;
            }
        }
    }
    for (; t < taps; ++t) {
        for (long j = 0; j < ow; ++j) {
            row[j] += factors[t] * from[offsets[t] + j * stride];
        }
    }
}

// y (k x oh x ow) from a padded image (c x ph x pw) and k filters (c x r x s), at most STRIP
// columns of a row at a time. PLANES_INSIDE: all output planes take from an image row before the
// next row is begun.
static void convolve_image(const float* p, const float* f, float* y, long c, long ph, long pw,
                           long k, long r, long s, long stride, long oh, long ow) {
    static long* offsets = nullptr;
    static long capacity = 0;
    const long taps = c * r * s;
    if (taps > capacity) {
        std::free(offsets);
        capacity = taps;
        offsets = static_cast<long*>(std::malloc(capacity * sizeof(long)));
    }
    for (long t = 0; t < taps; ++t) {
        offsets[t] = (t / (r * s) * ph + t / s % r) * pw + t % s;
    }
    for (long step = 0; step < k * oh; ++step) {
        const long plane = PLANES_INSIDE ? step % k : step / oh;
        const long i = PLANES_INSIDE ? step / k : step % oh;
        float* row = y + (plane * oh + i) * ow;
        for (long j = 0; j < ow; ++j) {
            row[j] = 0.0F;
        }
        for (long j = 0; j < ow; j += STRIP) {
            add_taps(p + i * stride * pw + j * stride, offsets, f + plane * taps, taps, stride,
                     row + j, STRIP < ow - j ? STRIP : ow - j);
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
