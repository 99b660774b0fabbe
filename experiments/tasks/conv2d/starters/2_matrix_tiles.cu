// The convolution as a product of matrices, filters times patches, whose second factor is read from
// the image as it is needed (implicit GEMM): tiles of FILTERS x POINTS values of y per block.

#ifndef FILTERS
#define FILTERS 32  // tune: 16, 32, 64
#endif
#ifndef POINTS
#define POINTS 32  // tune: 16, 32, 64
#endif
#ifndef DEPTH
#define DEPTH 16  // tune: 8, 16, 32
#endif

constexpr int k_across = POINTS / 2;  // threads; each has 4 filters times 2 points
constexpr int k_threads = FILTERS / 4 * k_across;

__global__ void __launch_bounds__(k_threads)
    convolve(const float* __restrict__ x, const float* __restrict__ f, float* __restrict__ y, int c,
             int h, int w, int k, int r, int s, int stride, int oh, int ow, long long points,
             int filter_tiles) {
    __shared__ float filters[DEPTH][FILTERS + 1];
    __shared__ float patches[DEPTH][POINTS];
    const int taps = c * r * s;
    const int first_filter = blockIdx.x % filter_tiles * FILTERS;
    const long long first_point = static_cast<long long>(blockIdx.x / filter_tiles) * POINTS;
    const int tx = threadIdx.x % k_across;
    const int ty = threadIdx.x / k_across;
    float sums[4][2] = {};
    for (int first = 0; first < taps; first += DEPTH) {
        for (int at = threadIdx.x; at < DEPTH * FILTERS; at += k_threads) {
            const int tap = first + at % DEPTH;
            const int filter = first_filter + at / DEPTH;
            filters[at % DEPTH][at / DEPTH] =
                tap < taps && filter < k ? f[static_cast<long long>(filter) * taps + tap] : 0.0f;
        }
        for (int at = threadIdx.x; at < DEPTH * POINTS; at += k_threads) {
            const int tap = first + at / POINTS;
            const long long point = first_point + at % POINTS;
            float value = 0.0f;
            if (tap < taps && point < points) {
                const int v = tap % s;
                const int u = tap / s % r;
                const int channel = tap / s / r;
                const int column = static_cast<int>(point % ow);
                const int row = static_cast<int>(point / ow % oh);
                const long long image = point / ow / oh;
                const int i = row * stride + u - (r - 1) / 2;
                const int j = column * stride + v - (s - 1) / 2;
                if (i >= 0 && i < h && j >= 0 && j < w) {
                    value = x[((image * c + channel) * h + i) * w + j];
                }
            }
            patches[at / POINTS][at % POINTS] = value;
        }
        __syncthreads();
#pragma unroll
        for (int p = 0; p < DEPTH; ++p) {
            const float left = patches[p][tx];
            const float right = patches[p][tx + k_across];
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                const float factor = filters[p][4 * ty + i];
                sums[i][0] += factor * left;
                sums[i][1] += factor * right;
            }
        }
        __syncthreads();
    }
#pragma unroll
    for (int j = 0; j < 2; ++j) {
        const long long point = first_point + tx + j * k_across;
        const long long plane_size = static_cast<long long>(oh) * ow;
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const int filter = first_filter + 4 * ty + i;
            if (point < points && filter < k) {
                y[(point / plane_size * k + filter) * plane_size + point % plane_size] = sums[i][j];
            }
        }
    }
}

void launch(const float* x, const float* f, float* y, int n, int c, int h, int w, int k, int r,
            int s, int stride, cudaStream_t stream) {
    const int oh = (h + stride - 1) / stride;
    const int ow = (w + stride - 1) / stride;
    const long long points = static_cast<long long>(n) * oh * ow;
    const int filter_tiles = (k + FILTERS - 1) / FILTERS;
    const long long blocks = (points + POINTS - 1) / POINTS * filter_tiles;
    convolve<<<blocks, k_threads, 0, stream>>>(x, f, y, c, h, w, k, r, s, stride, oh, ow, points,
                                               filter_tiles);
}
