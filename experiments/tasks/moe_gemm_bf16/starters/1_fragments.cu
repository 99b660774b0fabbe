// Tensor cores by the fragments of mma.h: tiles of an expert's tokens and weights pass through
// shared memory, each warp makes 32 x 32 values of a tile of y. Any shape, any device from 8.0 on.

#include <cuda_bf16.h>
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

// Tiles of all experts are numbered one after the other; which of whose entries are in number `at`.
struct Rows {
    int expert;  // -1: there are not so many tiles
    int first;
    int end;
};
__device__ Rows rows_of(const int* offsets, int experts, int at) {
    int begin = offsets[0];
    for (int expert = 0; expert < experts; ++expert) {
        const int end = offsets[expert + 1];
        const int tiles = (end - begin + TILE_M - 1) / TILE_M;
        if (at < tiles) {
            return {expert, begin + at * TILE_M, min(end, begin + (at + 1) * TILE_M)};
        }
        at -= tiles;
        begin = end;
    }
    return {-1, 0, 0};
}

__device__ __nv_bfloat16 value_or_zero(const __nv_bfloat16* from, long long row, int rows, int p,
                                       int k) {
    return row < rows && p < k ? from[row * k + p] : __float2bfloat16(0.0f);
}

__global__ void __launch_bounds__(k_threads)
    product(const int* __restrict__ offsets, const int* __restrict__ token,
            const __nv_bfloat16* __restrict__ x, const __nv_bfloat16* __restrict__ w,
            __nv_bfloat16* __restrict__ y, int experts, int n, int k, int tiles_across) {
    __shared__ __align__(32) __nv_bfloat16 a_tile[TILE_M * k_pitch];
    __shared__ __align__(32) __nv_bfloat16 b_tile[TILE_N * k_pitch];
    __shared__ __align__(32) float out[k_threads / 32][16 * 16];
    const Rows rows = rows_of(offsets, experts, blockIdx.x / tiles_across);
    if (rows.expert < 0) {
        return;
    }
    const __nv_bfloat16* b = w + static_cast<long long>(rows.expert) * n * k;
    const long long first_column = static_cast<long long>(blockIdx.x % tiles_across) * TILE_N;
    const int warp = threadIdx.x / 32;
    const int lane = threadIdx.x % 32;
    const int row = warp / (TILE_N / 32) * 32;
    const int column = warp % (TILE_N / 32) * 32;
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> sums[2][2];
    for (auto& line : sums) {
        for (auto& sum : line) {
            wmma::fill_fragment(sum, 0.0f);
        }
    }
    for (int first = 0; first < k; first += TILE_K) {
        for (int at = threadIdx.x; at < TILE_M * TILE_K; at += k_threads) {
            const int i = rows.first + at / TILE_K;
            const int row = i < rows.end ? token[i] : 0;
            a_tile[at / TILE_K * k_pitch + at % TILE_K] =
                value_or_zero(x, row, i < rows.end ? row + 1 : 0, first + at % TILE_K, k);
        }
        for (int at = threadIdx.x; at < TILE_N * TILE_K; at += k_threads) {
            b_tile[at / TILE_K * k_pitch + at % TILE_K] =
                value_or_zero(b, first_column + at / TILE_K, n, first + at % TILE_K, k);
        }
        __syncthreads();
#pragma unroll
        for (int p = 0; p < TILE_K; p += 16) {
            wmma::fragment<wmma::matrix_a, 16, 16, 16, __nv_bfloat16, wmma::row_major> left[2];
            wmma::fragment<wmma::matrix_b, 16, 16, 16, __nv_bfloat16, wmma::col_major> right[2];
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
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
#pragma unroll
        for (int j = 0; j < 2; ++j) {
            wmma::store_matrix_sync(out[warp], sums[i][j], 16, wmma::mem_row_major);
            __syncwarp();
            for (int at = lane; at < 256; at += 32) {
                const long long r = rows.first + row + 16 * i + at / 16;
                const long long s = first_column + column + 16 * j + at % 16;
                if (r < rows.end && s < n) {
                    y[r * n + s] = __float2bfloat16(out[warp][at]);
                }
            }
            __syncwarp();
        }
    }
}

void launch(const int* offsets, const int* token, const __nv_bfloat16* x, const __nv_bfloat16* w,
            __nv_bfloat16* y, int tokens, int experts, int routed, int n, int k,
            cudaStream_t stream) {
    const int down = routed / TILE_M + experts;  // at most
    const int across = (n + TILE_N - 1) / TILE_N;
    product<<<down * across, k_threads, 0, stream>>>(offsets, token, x, w, y, experts, n, k,
                                                     across);
}
