// Tiles of TILE x TILE values of y per block, four by four of them per thread in registers; the next
// tiles of x and w are on their way from memory while these are multiplied.

#ifndef TILE
#define TILE 64  // tune: 32, 64, 128
#endif
#ifndef TILE_K
#define TILE_K 8  // tune: 4, 8, 16
#endif

constexpr int k_side = TILE / 4;
constexpr int k_threads = k_side * k_side;
constexpr int k_loads = (TILE * TILE_K + k_threads - 1) / k_threads;  // values per thread

__device__ float gelu(float z) {
    return 0.5f * z * erfcf(-z * 0.70710678f);
}

// region: product
__global__ void __launch_bounds__(k_threads)
    product(const float* __restrict__ x, const float* __restrict__ w,
            const float* __restrict__ bias, float* __restrict__ y, int m, int n, int k,
            int tiles_down, int tiles_across) {
    __shared__ __align__(16) float x_tile[2][TILE_K][TILE + 4];  // columns of x
    __shared__ __align__(16) float w_tile[2][TILE_K][TILE];
    const long long b = blockIdx.x / tiles_across / tiles_down;
    const int first_row = blockIdx.x / tiles_across % tiles_down * TILE;
    const int first_column = blockIdx.x % tiles_across * TILE;
    const float* from_x = x + b * m * k;
    const float* from_w = w + b * k * n;
    const int tx = threadIdx.x % k_side;
    const int ty = threadIdx.x / k_side;
    float next_x[k_loads];
    float next_w[k_loads];
    float sums[4][4] = {};

    const auto fetch = [&](int first) {
#pragma unroll
        for (int l = 0; l < k_loads; ++l) {
            const int at = threadIdx.x + l * k_threads;
            const int i = first_row + at / TILE_K;
            const int p = first + at % TILE_K;
            next_x[l] = i < m && p < k ? from_x[static_cast<long long>(i) * k + p] : 0.0f;
            const int q = first + at / TILE;
            const int j = first_column + at % TILE;
            next_w[l] = q < k && j < n ? from_w[static_cast<long long>(q) * n + j] : 0.0f;
        }
    };
    const auto store = [&](int half) {
#pragma unroll
        for (int l = 0; l < k_loads; ++l) {
            const int at = threadIdx.x + l * k_threads;
            if (at < TILE * TILE_K) {
                x_tile[half][at % TILE_K][at / TILE_K] = next_x[l];
                w_tile[half][at / TILE][at % TILE] = next_w[l];
            }
        }
    };

    fetch(0);
    store(0);
    __syncthreads();
    int half = 0;
    for (int first = 0; first < k; first += TILE_K) {
        if (first + TILE_K < k) {
            fetch(first + TILE_K);
        }
#pragma unroll
        for (int p = 0; p < TILE_K; ++p) {
            float column[4];
            float row[4];
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                column[i] = x_tile[half][p][4 * ty + i];
                row[i] = w_tile[half][p][4 * tx + i];
            }
#pragma unroll
            for (int i = 0; i < 4; ++i) {
#pragma unroll
                for (int j = 0; j < 4; ++j) {
                    sums[i][j] += column[i] * row[j];
                }
            }
        }
        if (first + TILE_K < k) {
            half ^= 1;
            store(half);
            __syncthreads();
        }
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        const int r = first_row + 4 * ty + i;
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            const int s = first_column + 4 * tx + j;
            if (r < m && s < n) {
                y[(b * m + r) * n + s] = gelu(sums[i][j] + bias[b * n + s]);
            }
        }
    }
}
// endregion: product

void launch(const float* x, const float* w, const float* bias, float* y, int batch, int m, int n,
            int k, cudaStream_t stream) {
    const int down = (m + TILE - 1) / TILE;
    const int across = (n + TILE - 1) / TILE;
    product<<<batch * down * across, k_threads, 0, stream>>>(x, w, bias, y, m, n, k, down, across);
}
