// One thread per value of C; square tiles of A and B pass through shared memory.

#ifndef TILE
#define TILE 16  // tune: 8, 16, 32
#endif

__global__ void __launch_bounds__(TILE* TILE) product(const float* a, const float* b, float* c,
                                                      int m, int n, int k, int tiles_across) {
    __shared__ float a_tile[TILE][TILE];
    __shared__ float b_tile[TILE][TILE];
    const int tx = threadIdx.x;
    const int ty = threadIdx.y;
    const long long i = static_cast<long long>(blockIdx.x / tiles_across) * TILE + ty;
    const long long j = static_cast<long long>(blockIdx.x % tiles_across) * TILE + tx;
    float sum = 0.0f;
    for (int first = 0; first < k; first += TILE) {
        a_tile[ty][tx] = i < m && first + tx < k ? a[i * k + first + tx] : 0.0f;
        b_tile[ty][tx] =
            first + ty < k && j < n ? b[static_cast<long long>(first + ty) * n + j] : 0.0f;
        __syncthreads();
#pragma unroll
        for (int p = 0; p < TILE; ++p) {
            sum += a_tile[ty][p] * b_tile[p][tx];
        }
        __syncthreads();
    }
    if (i < m && j < n) {
        c[i * n + j] = sum;
    }
}

void launch(const float* a, const float* b, float* c, int m, int n, int k, cudaStream_t stream) {
    const int down = (m + TILE - 1) / TILE;
    const int across = (n + TILE - 1) / TILE;
    product<<<down * across, dim3(TILE, TILE), 0, stream>>>(a, b, c, m, n, k, across);
}
