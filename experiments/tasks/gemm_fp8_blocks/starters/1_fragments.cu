// Tensor cores by the fragments of mma.h in half precision, which has all values of e4m3: tiles of
// A and B are widened on their way to shared memory, each warp makes 32 x 32 values of a tile of C.
// The sums of a block of 128 columns are scaled and added to those before. Any shape, any device
// from 8.0 on.

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>
#include <mma.h>

#ifndef TILE_M
#define TILE_M 64  // tune: 32, 64, 128
#endif
#ifndef TILE_N
#define TILE_N 64  // tune: 32, 64, 128
#endif
#ifndef TILE_K
#define TILE_K 32  // tune: 16, 32, 64
#endif

using namespace nvcuda;

constexpr int k_threads = TILE_M / 32 * (TILE_N / 32) * 32;
constexpr int k_pitch = TILE_K + 8;  // against bank conflicts

constexpr int k_block = 128;

__device__ __half value_or_zero(const __nv_fp8_e4m3* from, long long row, int rows, int p, int k) {
    return row < rows && p < k ? static_cast<__half>(from[row * k + p]) : __float2half(0.0f);
}

__global__ void __launch_bounds__(k_threads)
    product(const __nv_fp8_e4m3* __restrict__ a, const float* __restrict__ a_scale,
            const __nv_fp8_e4m3* __restrict__ b, const float* __restrict__ b_scale,
            __nv_bfloat16* __restrict__ c, int m, int n, int k, int tiles_across) {
    __shared__ __align__(32) __half a_tile[TILE_M * k_pitch];
    __shared__ __align__(32) __half b_tile[TILE_N * k_pitch];
    __shared__ __align__(32) float out[k_threads / 32][16 * 16];
    const long long first_row = static_cast<long long>(blockIdx.x / tiles_across) * TILE_M;
    const long long first_column = static_cast<long long>(blockIdx.x % tiles_across) * TILE_N;
    const int warp = threadIdx.x / 32;
    const int lane = threadIdx.x % 32;
    const int row = warp / (TILE_N / 32) * 32;
    const int column = warp % (TILE_N / 32) * 32;
    const int k_blocks = (k + k_block - 1) / k_block;
    float totals[2][2][8] = {};  // 256 values of a fragment by 32 lanes, in the order of memory
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> sums[2][2];
    for (int first = 0; first < k; first += TILE_K) {
        if (first % k_block == 0) {
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                wmma::fill_fragment(sums[i / 2][i % 2], 0.0f);
            }
        }
        for (int at = threadIdx.x; at < TILE_M * TILE_K; at += k_threads) {
            a_tile[at / TILE_K * k_pitch + at % TILE_K] =
                value_or_zero(a, first_row + at / TILE_K, m, first + at % TILE_K, k);
        }
        for (int at = threadIdx.x; at < TILE_N * TILE_K; at += k_threads) {
            b_tile[at / TILE_K * k_pitch + at % TILE_K] =
                value_or_zero(b, first_column + at / TILE_K, n, first + at % TILE_K, k);
        }
        __syncthreads();
#pragma unroll
        for (int p = 0; p < TILE_K; p += 16) {
            wmma::fragment<wmma::matrix_a, 16, 16, 16, __half, wmma::row_major> left[2];
            wmma::fragment<wmma::matrix_b, 16, 16, 16, __half, wmma::col_major> right[2];
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                wmma::load_matrix_sync(left[i], a_tile + (row + 16 * i) * k_pitch + p, k_pitch);
                wmma::load_matrix_sync(right[i], b_tile + (column + 16 * i) * k_pitch + p, k_pitch);
            }
#pragma unroll
            for (int i = 0; i < 2; ++i) {
#pragma unroll
                for (int j = 0; j < 2; ++j) {
                    wmma::mma_sync(sums[i][j], left[i], right[j], sums[i][j]);
                }
            }
        }
        __syncthreads();
        if ((first + TILE_K) % k_block != 0 && first + TILE_K < k) {
            continue;
        }
        const int block = first / k_block;
#pragma unroll
        for (int i = 0; i < 2; ++i) {
#pragma unroll
            for (int j = 0; j < 2; ++j) {
                wmma::store_matrix_sync(out[warp], sums[i][j], 16, wmma::mem_row_major);
                __syncwarp();
#pragma unroll
                for (int part = 0; part < 8; ++part) {
                    const int at = lane + 32 * part;
                    const long long r = min(static_cast<long long>(m) - 1,
                                            first_row + row + 16 * i + at / 16);
                    const long long s = min(static_cast<long long>(n) - 1,
                                            first_column + column + 16 * j + at % 16);
                    totals[i][j][part] += out[warp][at] * (a_scale[r * k_blocks + block] *
                                                           b_scale[s / k_block * k_blocks + block]);
                }
                __syncwarp();
            }
        }
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
#pragma unroll
        for (int j = 0; j < 2; ++j) {
#pragma unroll
            for (int part = 0; part < 8; ++part) {
                const int at = lane + 32 * part;
                const long long r = first_row + row + 16 * i + at / 16;
                const long long s = first_column + column + 16 * j + at % 16;
                if (r < m && s < n) {
                    c[r * n + s] = __float2bfloat16(totals[i][j][part]);
                }
            }
        }
    }
}

void launch(const __nv_fp8_e4m3* a, const float* a_scale, const __nv_fp8_e4m3* b,
            const float* b_scale, __nv_bfloat16* c, int m, int n, int k, cudaStream_t stream) {
    const int down = (m + TILE_M - 1) / TILE_M;
    const int across = (n + TILE_N - 1) / TILE_N;
    product<<<down * across, k_threads, 0, stream>>>(a, a_scale, b, b_scale, c, m, n, k, across);
}
