// For matrices that give few tiles: SPLITS blocks share a tile of C, each with a part of the inner
// dimension, and a second kernel adds their sums in a fixed order. Four by four values per thread.

#ifndef TILE
#define TILE 64  // tune: 32, 64
#endif
#ifndef TILE_K
#define TILE_K 16  // tune: 8, 16, 32
#endif
#ifndef SPLITS
#define SPLITS 4  // tune: 1, 2, 4, 8
#endif

constexpr int k_side = TILE / 4;
constexpr int k_threads = k_side * k_side;

__global__ void __launch_bounds__(k_threads)
    partial_product(const float* __restrict__ a, const float* __restrict__ b,
                    float* __restrict__ parts, int m, int n, int k, int tiles_across, int depth) {
    __shared__ __align__(16) float a_tile[TILE_K][TILE + 4];
    __shared__ __align__(16) float b_tile[TILE_K][TILE];
    const long long first_row = static_cast<long long>(blockIdx.x / tiles_across) * TILE;
    const long long first_column = static_cast<long long>(blockIdx.x % tiles_across) * TILE;
    const int begin = blockIdx.y * depth;
    const int end = min(k, begin + depth);
    const int tx = threadIdx.x % k_side;
    const int ty = threadIdx.x / k_side;
    float sums[4][4] = {};
    for (int first = begin; first < end; first += TILE_K) {
        for (int at = threadIdx.x; at < TILE * TILE_K; at += k_threads) {
            const long long i = first_row + at / TILE_K;
            const int p = first + at % TILE_K;
            a_tile[at % TILE_K][at / TILE_K] = i < m && p < end ? a[i * k + p] : 0.0f;
        }
        for (int at = threadIdx.x; at < TILE * TILE_K; at += k_threads) {
            const int p = first + at / TILE;
            const long long j = first_column + at % TILE;
            b_tile[at / TILE][at % TILE] =
                p < end && j < n ? b[static_cast<long long>(p) * n + j] : 0.0f;
        }
        __syncthreads();
#pragma unroll
        for (int p = 0; p < TILE_K; ++p) {
            float column[4];
            float row[4];
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                column[i] = a_tile[p][4 * ty + i];
                row[i] = b_tile[p][4 * tx + i];
            }
#pragma unroll
            for (int i = 0; i < 4; ++i) {
#pragma unroll
                for (int j = 0; j < 4; ++j) {
                    sums[i][j] += column[i] * row[j];
                }
            }
        }
        __syncthreads();
    }
    float* to = parts + static_cast<long long>(blockIdx.y) * m * n;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            const long long r = first_row + 4 * ty + i;
            const long long s = first_column + 4 * tx + j;
            if (r < m && s < n) {
                to[r * n + s] = sums[i][j];
            }
        }
    }
}

__global__ void add_parts(const float* __restrict__ parts, float* __restrict__ c, long long count) {
    const long long i = static_cast<long long>(blockIdx.x) * 256 + threadIdx.x;
    if (i < count) {
        float sum = parts[i];
#pragma unroll
        for (int s = 1; s < SPLITS; ++s) {
            sum += parts[s * count + i];
        }
        c[i] = sum;
    }
}

void launch(const float* a, const float* b, float* c, int m, int n, int k, cudaStream_t stream) {
    const int down = (m + TILE - 1) / TILE;
    const int across = (n + TILE - 1) / TILE;
    const long long count = static_cast<long long>(m) * n;
    if (SPLITS == 1) {
        partial_product<<<down * across, k_threads, 0, stream>>>(a, b, c, m, n, k, across, k);
        return;
    }
    float* parts = nullptr;
    cudaMalloc(&parts, SPLITS * count * sizeof(float));
    const int depth = (k + SPLITS - 1) / SPLITS;
    partial_product<<<dim3(down * across, SPLITS), k_threads, 0, stream>>>(a, b, parts, m, n, k,
                                                                           across, depth);
    add_parts<<<(count + 255) / 256, 256, 0, stream>>>(parts, c, count);
    cudaFree(parts);
}
