// Each thread turns blocks of eight by eight values in its registers where rows of both matrices
// are aligned for it: reads, shared memory and writes all move 16 bytes. Other shapes read single
// values, several at once, and write pairs where rows of the result are aligned for them.

#include <cuda_fp16.h>

#ifndef TILE
#define TILE 128  // tune: 64, 128
#endif
#ifndef BLOCK
#define BLOCK 256  // tune: 64, 128, 256
#endif
#ifndef PAIR_ROWS
#define PAIR_ROWS 8  // tune: 4, 8, 16
#endif

constexpr int k_eights = TILE / 8;

__device__ __forceinline__ unsigned pair_of(unsigned first, unsigned second, bool high) {
    return __byte_perm(first, second, high ? 0x7632 : 0x5410);
}

// region: eights
__global__ void __launch_bounds__(BLOCK)
    transpose_eights(const uint4* __restrict__ x, uint4* __restrict__ y, int rows, int cols,
                     int tiles_down, int tiles_across) {
    // Eights of columns of a row of the result; a place moves by its row, so that neither the
    // writes nor the reads of a quarter of a warp meet in one bank.
    __shared__ uint4 tile[TILE][k_eights];
    const int across = blockIdx.x % tiles_across;
    const int down = blockIdx.x / tiles_across % tiles_down;
    const long long matrix = blockIdx.x / tiles_across / tiles_down;
    const uint4* from = x + matrix * rows * cols / 8;
    uint4* to = y + matrix * rows * cols / 8;
    for (int work = threadIdx.x; work < k_eights * k_eights; work += BLOCK) {
        const int i = work % k_eights;  // eight columns of x
        const int j = work / k_eights;  // eight rows of x
        const int r = down * TILE + 8 * j;
        const int c = across * TILE + 8 * i;
        if (r < rows && c < cols) {  // then all eight are inside
            const uint4* at = from + (static_cast<long long>(r) * cols + c) / 8;
            unsigned words[8][4];  // pairs of columns
#pragma unroll
            for (int e = 0; e < 8; ++e) {
                const uint4 row = at[static_cast<long long>(e) * (cols / 8)];
                words[e][0] = row.x;
                words[e][1] = row.y;
                words[e][2] = row.z;
                words[e][3] = row.w;
            }
#pragma unroll
            for (int e = 0; e < 8; ++e) {
                tile[8 * i + e][(j + i) % k_eights] =
                    make_uint4(pair_of(words[0][e / 2], words[1][e / 2], e % 2 == 1),
                               pair_of(words[2][e / 2], words[3][e / 2], e % 2 == 1),
                               pair_of(words[4][e / 2], words[5][e / 2], e % 2 == 1),
                               pair_of(words[6][e / 2], words[7][e / 2], e % 2 == 1));
            }
        }
    }
    __syncthreads();
#pragma unroll
    for (int work = threadIdx.x; work < TILE * k_eights; work += BLOCK) {
        const int j = work % k_eights;  // eight columns of y
        const int k = work / k_eights;  // a row of y
        const int r = down * TILE + 8 * j;
        const int c = across * TILE + k;
        if (r < rows && c < cols) {
            to[(static_cast<long long>(c) * rows + r) / 8] = tile[k][(j + k / 8) % k_eights];
        }
    }
}
// endregion: eights

// region: values
// 64 by 64 values, pairs of rows of x. `even`: rows of the result are whole pairs.
__global__ void __launch_bounds__(32 * PAIR_ROWS)
    transpose_values(const __half* __restrict__ x, __half* __restrict__ y, int rows, int cols,
                     int tiles_down, int tiles_across, bool even) {
    __shared__ unsigned tile[64][33];  // a row of the result: pairs of x's rows
    const int across = blockIdx.x % tiles_across;
    const int down = blockIdx.x / tiles_across % tiles_down;
    const long long matrix = blockIdx.x / tiles_across / tiles_down;
    const unsigned short* from =
        reinterpret_cast<const unsigned short*>(x) + matrix * rows * cols;
    unsigned short* to = reinterpret_cast<unsigned short*>(y) + matrix * rows * cols;
    const int i = threadIdx.x % 32;
    const int j = threadIdx.x / 32;
    unsigned words[2 * 32 / PAIR_ROWS];
#pragma unroll
    for (int k = 0; k < 2 * 32 / PAIR_ROWS; ++k) {
        const int r = down * 64 + 2 * (j + k / 2 * PAIR_ROWS);
        const int c = across * 64 + i + k % 2 * 32;
        const unsigned short* at = from + static_cast<long long>(r) * cols + c;
        const unsigned above = r < rows && c < cols ? at[0] : 0;
        const unsigned below = r + 1 < rows && c < cols ? at[cols] : 0;
        words[k] = above | below << 16;
    }
#pragma unroll
    for (int k = 0; k < 2 * 32 / PAIR_ROWS; ++k) {
        tile[i + k % 2 * 32][j + k / 2 * PAIR_ROWS] = words[k];
    }
    __syncthreads();
#pragma unroll
    for (int k = j; k < 64; k += PAIR_ROWS) {
        const int c = across * 64 + k;
        const int r = down * 64 + 2 * i;
        const unsigned word = tile[k][i];
        unsigned short* at = to + static_cast<long long>(c) * rows + r;
        if (even) {
            if (r < rows && c < cols) {
                *reinterpret_cast<unsigned*>(at) = word;
            }
        } else if (c < cols) {
            if (r < rows) {
                at[0] = static_cast<unsigned short>(word);
            }
            if (r + 1 < rows) {
                at[1] = static_cast<unsigned short>(word >> 16);
            }
        }
    }
}
// endregion: values

void launch(const __half* x, __half* y, int batch, int rows, int cols, cudaStream_t stream) {
    const bool eights = rows % 8 == 0 && cols % 8 == 0;
    const int side = eights ? TILE : 64;
    const int down = (rows + side - 1) / side;
    const int across = (cols + side - 1) / side;
    if (eights) {
        transpose_eights<<<batch * down * across, BLOCK, 0, stream>>>(
            reinterpret_cast<const uint4*>(x), reinterpret_cast<uint4*>(y), rows, cols, down,
            across);
    } else {
        transpose_values<<<batch * down * across, 32 * PAIR_ROWS, 0, stream>>>(
            x, y, rows, cols, down, across, rows % 2 == 0);
    }
}
