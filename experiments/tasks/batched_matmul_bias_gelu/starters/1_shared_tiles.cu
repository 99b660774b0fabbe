// One thread per value of y; square tiles of x and w pass through shared memory.

#ifndef TILE
#define TILE 16  // tune: 8, 16, 32
#endif

__device__ float gelu(float z) {
    return 0.5f * z * erfcf(-z * 0.70710678f);
}

__global__ void __launch_bounds__(TILE* TILE)
    product(const float* x, const float* w, const float* bias, float* y, int m, int n, int k,
            int tiles_down, int tiles_across) {
    __shared__ float x_tile[TILE][TILE];
    __shared__ float w_tile[TILE][TILE];
    const int tx = threadIdx.x;
    const int ty = threadIdx.y;
    const long long b = blockIdx.x / tiles_across / tiles_down;
    const long long i = static_cast<long long>(blockIdx.x / tiles_across % tiles_down) * TILE + ty;
    const long long j = static_cast<long long>(blockIdx.x % tiles_across) * TILE + tx;
    float sum = 0.0f;
    for (int first = 0; first < k; first += TILE) {
        x_tile[ty][tx] = i < m && first + tx < k ? x[(b * m + i) * k + first + tx] : 0.0f;
        w_tile[ty][tx] = first + ty < k && j < n ? w[(b * k + first + ty) * n + j] : 0.0f;
        __syncthreads();
#pragma unroll
        for (int p = 0; p < TILE; ++p) {
            sum += x_tile[ty][p] * w_tile[p][tx];
        }
        __syncthreads();
    }
    if (i < m && j < n) {
        y[(b * m + i) * n + j] = gelu(sum + bias[b * n + j]);
    }
}

void launch(const float* x, const float* w, const float* bias, float* y, int batch, int m, int n,
            int k, cudaStream_t stream) {
    const int down = (m + TILE - 1) / TILE;
    const int across = (n + TILE - 1) / TILE;
    product<<<batch * down * across, dim3(TILE, TILE), 0, stream>>>(x, w, bias, y, m, n, k, down,
                                                                    across);
}
