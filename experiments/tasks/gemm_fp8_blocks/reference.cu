// C = A B^T of scaled 8-bit floats with every product and sum in double: tiles of 64 x 64 values
// per block, 4 x 4 of them per thread.

#include <cuda_bf16.h>
#include <cuda_fp8.h>

constexpr int k_tile = 64;
constexpr int k_depth = 16;
constexpr int k_block = 128;

__global__ void __launch_bounds__(256)
    product(const __nv_fp8_e4m3* a, const float* a_scale, const __nv_fp8_e4m3* b,
            const float* b_scale, double* c, int m, int n, int k, int tiles_across) {
    const long long k_blocks = (k + k_block - 1) / k_block;
    __shared__ double a_tile[k_depth][k_tile + 1];
    __shared__ double b_tile[k_depth][k_tile + 1];
    const int tx = threadIdx.x % 16;
    const int ty = threadIdx.x / 16;
    const long long first_row = static_cast<long long>(blockIdx.x / tiles_across) * k_tile;
    const long long first_column = static_cast<long long>(blockIdx.x % tiles_across) * k_tile;
    double sums[4][4] = {};
    for (int first = 0; first < k; first += k_depth) {
        for (int at = threadIdx.x; at < k_tile * k_depth; at += 256) {
            const int p = at % k_depth;
            const int i = at / k_depth;
            const bool deep = first + p < k;
            const long long row = first_row + i;
            const long long column = first_column + i;
            const int of_depth = (first + p) / k_block;
            double left = 0.0;
            double right = 0.0;
            if (deep && row < m) {
                left = static_cast<double>(static_cast<float>(a[row * k + first + p])) *
                       a_scale[row * k_blocks + of_depth];
            }
            if (deep && column < n) {
                right = static_cast<double>(static_cast<float>(b[column * k + first + p])) *
                        b_scale[column / k_block * k_blocks + of_depth];
            }
            a_tile[p][i] = left;
            b_tile[p][i] = right;
        }
        __syncthreads();
        for (int p = 0; p < k_depth; ++p) {
            for (int i = 0; i < 4; ++i) {
                for (int j = 0; j < 4; ++j) {
                    sums[i][j] += a_tile[p][ty + 16 * i] * b_tile[p][tx + 16 * j];
                }
            }
        }
        __syncthreads();
    }
    for (int i = 0; i < 4; ++i) {
        for (int j = 0; j < 4; ++j) {
            const long long r = first_row + ty + 16 * i;
            const long long s = first_column + tx + 16 * j;
            if (r < m && s < n) {
                c[r * n + s] = sums[i][j];
            }
        }
    }
}

void reference(const __nv_fp8_e4m3* a, const float* a_scale, const __nv_fp8_e4m3* b,
               const float* b_scale, double* c, int m, int n, int k, cudaStream_t stream) {
    const int down = (m + k_tile - 1) / k_tile;
    const int across = (n + k_tile - 1) / k_tile;
    product<<<down * across, 256, 0, stream>>>(a, a_scale, b, b_scale, c, m, n, k, across);
}
