// Each thread turns blocks of two by two values in its registers where rows of both matrices are
// aligned for it: reads, shared memory and writes all move pairs. Odd shapes move one value at a
// time.

#include <cuda_fp16.h>

#ifndef TILE
#define TILE 64  // tune: 32, 64, 128
#endif
#ifndef ROWS
#define ROWS 8  // tune: 4, 8, 16
#endif

constexpr int k_pairs = TILE / 2;

__device__ __forceinline__ unsigned pair_of(unsigned first, unsigned second, bool high) {
    return __byte_perm(first, second, high ? 0x7632 : 0x5410);
}

// region: pairs
// `width` and `height`: of x, in pairs.
__global__ void __launch_bounds__(k_pairs* ROWS)
    transpose_pairs(const unsigned* __restrict__ x, unsigned* __restrict__ y, int height, int width,
                    int tiles_down, int tiles_across) {
    __shared__ unsigned tile[TILE][k_pairs + 1];  // a row of the result: pairs of x's rows
    const int across = blockIdx.x % tiles_across;
    const int down = blockIdx.x / tiles_across % tiles_down;
    const long long matrix = blockIdx.x / tiles_across / tiles_down;
    const unsigned* from = x + matrix * 2 * height * width;
    unsigned* to = y + matrix * 2 * height * width;
    const int i = threadIdx.x % k_pairs;
    const int j = threadIdx.x / k_pairs;
#pragma unroll
    for (int k = j; k < k_pairs; k += ROWS) {
        const int r = down * k_pairs + k;
        const int c = across * k_pairs + i;
        if (r < height && c < width) {
            const unsigned above = from[static_cast<long long>(2 * r) * width + c];
            const unsigned below = from[static_cast<long long>(2 * r + 1) * width + c];
            tile[2 * i][k] = pair_of(above, below, false);
            tile[2 * i + 1][k] = pair_of(above, below, true);
        }
    }
    __syncthreads();
#pragma unroll
    for (int k = j; k < TILE; k += ROWS) {
        const int c = across * TILE + k;
        const int r = down * k_pairs + i;
        if (r < height && c < 2 * width) {
            to[static_cast<long long>(c) * height + r] = tile[k][i];
        }
    }
}
// endregion: pairs

__global__ void __launch_bounds__(256)
    transpose_values(const __half* __restrict__ x, __half* __restrict__ y, int rows, int cols,
                     int tiles_down, int tiles_across) {
    __shared__ __half tile[32][34];
    const int across = blockIdx.x % tiles_across;
    const int down = blockIdx.x / tiles_across % tiles_down;
    const long long matrix = blockIdx.x / tiles_across / tiles_down;
    const __half* from = x + matrix * rows * cols;
    __half* to = y + matrix * rows * cols;
    const int i = threadIdx.x % 32;
    for (int k = threadIdx.x / 32; k < 32; k += 8) {
        const int r = down * 32 + k;
        const int c = across * 32 + i;
        if (r < rows && c < cols) {
            tile[k][i] = from[static_cast<long long>(r) * cols + c];
        }
    }
    __syncthreads();
    for (int k = threadIdx.x / 32; k < 32; k += 8) {
        const int c = across * 32 + k;
        const int r = down * 32 + i;
        if (r < rows && c < cols) {
            to[static_cast<long long>(c) * rows + r] = tile[i][k];
        }
    }
}

void launch(const __half* x, __half* y, int batch, int rows, int cols, cudaStream_t stream) {
    const bool pairs = rows % 2 == 0 && cols % 2 == 0;
    const int side = pairs ? TILE : 32;
    const int down = (rows + side - 1) / side;
    const int across = (cols + side - 1) / side;
    if (pairs) {
        transpose_pairs<<<batch * down * across, k_pairs * ROWS, 0, stream>>>(
            reinterpret_cast<const unsigned*>(x), reinterpret_cast<unsigned*>(y), rows / 2,
            cols / 2, down, across);
    } else {
        transpose_values<<<batch * down * across, 256, 0, stream>>>(x, y, rows, cols, down, across);
    }
}
