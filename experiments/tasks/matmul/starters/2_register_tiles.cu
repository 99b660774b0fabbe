// Tiles of TILE_M x TILE_N values of C per block, 8 x 8 of them per thread in registers; the next
// tiles of A and B are on their way from memory while these are multiplied.

#ifndef TILE_M
#define TILE_M 128  // tune: 64, 128
#endif
#ifndef TILE_N
#define TILE_N 128  // tune: 64, 128
#endif
#ifndef TILE_K
#define TILE_K 8  // tune: 8, 16
#endif

constexpr int k_threads = TILE_M / 8 * (TILE_N / 8);
constexpr int k_a_loads = TILE_M * TILE_K / k_threads;  // values per thread
constexpr int k_b_loads = TILE_K * TILE_N / k_threads;

// region: product
__global__ void __launch_bounds__(k_threads)
    product(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c, int m,
            int n, int k, int tiles_across) {
    __shared__ __align__(16) float a_tile[2][TILE_K][TILE_M + 4];  // columns of A: a thread's rows lie together
    __shared__ __align__(16) float b_tile[2][TILE_K][TILE_N];
    const long long first_row = static_cast<long long>(blockIdx.x / tiles_across) * TILE_M;
    const long long first_column = static_cast<long long>(blockIdx.x % tiles_across) * TILE_N;
    const int tid = threadIdx.x;
    const int tx = tid % (TILE_N / 8);
    const int ty = tid / (TILE_N / 8);
    float next_a[k_a_loads];
    float next_b[k_b_loads];
    float sums[8][8] = {};

    const auto fetch = [&](int first) {
#pragma unroll
        for (int l = 0; l < k_a_loads; ++l) {
            const int at = tid + l * k_threads;
            const long long i = first_row + at / TILE_K;
            const int p = first + at % TILE_K;
            next_a[l] = i < m && p < k ? a[i * k + p] : 0.0f;
        }
#pragma unroll
        for (int l = 0; l < k_b_loads; ++l) {
            const int at = tid + l * k_threads;
            const int p = first + at / TILE_N;
            const long long j = first_column + at % TILE_N;
            next_b[l] = p < k && j < n ? b[static_cast<long long>(p) * n + j] : 0.0f;
        }
    };
    const auto store = [&](int half) {
#pragma unroll
        for (int l = 0; l < k_a_loads; ++l) {
            const int at = tid + l * k_threads;
            a_tile[half][at % TILE_K][at / TILE_K] = next_a[l];
        }
#pragma unroll
        for (int l = 0; l < k_b_loads; ++l) {
            const int at = tid + l * k_threads;
            b_tile[half][at / TILE_N][at % TILE_N] = next_b[l];
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
            float column[8];
            float row[8];
#pragma unroll
            for (int i = 0; i < 4; ++i) {  // two fours, half a tile apart: no bank conflicts
                column[i] = a_tile[half][p][4 * ty + i];
                column[4 + i] = a_tile[half][p][TILE_M / 2 + 4 * ty + i];
                row[i] = b_tile[half][p][4 * tx + i];
                row[4 + i] = b_tile[half][p][TILE_N / 2 + 4 * tx + i];
            }
#pragma unroll
            for (int i = 0; i < 8; ++i) {
#pragma unroll
                for (int j = 0; j < 8; ++j) {
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
    for (int i = 0; i < 8; ++i) {
        const long long r = first_row + i / 4 * (TILE_M / 2) + 4 * ty + i % 4;
#pragma unroll
        for (int j = 0; j < 8; ++j) {
            const long long s = first_column + j / 4 * (TILE_N / 2) + 4 * tx + j % 4;
            if (r < m && s < n) {
                c[r * n + s] = sums[i][j];
            }
        }
    }
}
// endregion: product

void launch(const float* a, const float* b, float* c, int m, int n, int k, cudaStream_t stream) {
    const int down = (m + TILE_M - 1) / TILE_M;
    const int across = (n + TILE_N - 1) / TILE_N;
    product<<<down * across, k_threads, 0, stream>>>(a, b, c, m, n, k, across);
}
