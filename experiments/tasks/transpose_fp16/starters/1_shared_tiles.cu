// Tiles of TILE x TILE values cross in shared memory, so that reads and writes both run along rows.
// Two columns more than a tile has keep its columns out of one bank.

#include <cuda_fp16.h>

#ifndef TILE
#define TILE 32  // tune: 16, 32, 64
#endif
#ifndef ROWS
#define ROWS 8  // tune: 4, 8, 16
#endif

__global__ void __launch_bounds__(TILE* ROWS)
    transpose_tiles(const __half* __restrict__ x, __half* __restrict__ y, int rows, int cols,
                    int tiles_down, int tiles_across) {
    __shared__ __half tile[TILE][TILE + 2];
    const int across = blockIdx.x % tiles_across;
    const int down = blockIdx.x / tiles_across % tiles_down;
    const long long matrix = blockIdx.x / tiles_across / tiles_down;
    const __half* from = x + matrix * rows * cols;
    __half* to = y + matrix * rows * cols;
    const int i = threadIdx.x % TILE;
    const int j = threadIdx.x / TILE;
#pragma unroll
    for (int k = j; k < TILE; k += ROWS) {
        const int r = down * TILE + k;
        const int c = across * TILE + i;
        if (r < rows && c < cols) {
            tile[k][i] = from[static_cast<long long>(r) * cols + c];
        }
    }
    __syncthreads();
#pragma unroll
    for (int k = j; k < TILE; k += ROWS) {
        const int c = across * TILE + k;
        const int r = down * TILE + i;
        if (r < rows && c < cols) {
            to[static_cast<long long>(c) * rows + r] = tile[i][k];
        }
    }
}

void launch(const __half* x, __half* y, int batch, int rows, int cols, cudaStream_t stream) {
    const int down = (rows + TILE - 1) / TILE;
    const int across = (cols + TILE - 1) / TILE;
    transpose_tiles<<<batch * down * across, TILE * ROWS, 0, stream>>>(x, y, rows, cols, down,
                                                                       across);
}
