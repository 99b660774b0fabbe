// The product of each entry's token with its expert's weights, every product and sum in double:
// tiles of 64 x 64 values per block, 4 x 4 of them per thread.

#include <cuda_bf16.h>

constexpr int TILE_M = 64;
constexpr int k_tile = TILE_M;
constexpr int k_depth = 16;

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

__global__ void __launch_bounds__(256)
    product(const int* offsets, const int* token, const __nv_bfloat16* x, const __nv_bfloat16* w,
            double* y, int experts, int n, int k, int tiles_across) {
    __shared__ double a_tile[k_depth][k_tile + 1];
    __shared__ double b_tile[k_depth][k_tile + 1];
    const int tx = threadIdx.x % 16;
    const int ty = threadIdx.x / 16;
    const Rows rows = rows_of(offsets, experts, blockIdx.x / tiles_across);
    if (rows.expert < 0) {
        return;
    }
    const __nv_bfloat16* b = w + static_cast<long long>(rows.expert) * n * k;
    const long long first_column = static_cast<long long>(blockIdx.x % tiles_across) * k_tile;
    double sums[4][4] = {};
    for (int first = 0; first < k; first += k_depth) {
        for (int at = threadIdx.x; at < k_tile * k_depth; at += 256) {
            const int p = at % k_depth;
            const int i = at / k_depth;
            const bool deep = first + p < k;
            double value = 0.0;
            if (deep && rows.first + i < rows.end) {
                const long long row = token[rows.first + i];
                value = static_cast<double>(__bfloat162float(x[row * k + first + p]));
            }
            a_tile[p][i] = value;
            b_tile[p][i] = deep && first_column + i < n
                               ? static_cast<double>(
                                     __bfloat162float(b[(first_column + i) * k + first + p]))
                               : 0.0;
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
            const long long r = rows.first + ty + 16 * i;
            const long long s = first_column + tx + 16 * j;
            if (r < rows.end && s < n) {
                y[r * n + s] = sums[i][j];
            }
        }
    }
}

void reference(const int* offsets, const int* token, const __nv_bfloat16* x,
               const __nv_bfloat16* w, double* y, int tokens, int experts, int routed, int n, int k,
               cudaStream_t stream) {
    const int down = routed / TILE_M + experts;  // at most
    const int across = (n + k_tile - 1) / k_tile;
    product<<<down * across, 256, 0, stream>>>(offsets, token, x, w, y, experts, n, k, across);
}
