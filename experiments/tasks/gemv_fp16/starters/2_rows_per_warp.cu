// ROWS rows per warp, which share what is read of x: eight weights of each row at a time where rows
// are aligned for that, UNROLL times before the first is used. SPLIT warps may share a row, a part
// of its columns each.

#include <cuda_fp16.h>

#ifndef WARPS
#define WARPS 1  // tune: 1, 2, 4
#endif
#ifndef ROWS
#define ROWS 1  // tune: 1, 2, 4, 8
#endif
#ifndef UNROLL
#define UNROLL 2  // tune: 1, 2, 4
#endif
#ifndef SPLIT
#define SPLIT 8  // tune: 1, 2, 4, 8
#endif

// region: dot
__device__ __forceinline__ float dot_of_two(unsigned w, unsigned x, float sum) {
    const float2 left = __half22float2(*reinterpret_cast<const __half2*>(&w));
    const float2 right = __half22float2(*reinterpret_cast<const __half2*>(&x));
    return sum + left.x * right.x + left.y * right.y;
}
__device__ __forceinline__ float dot_of_eight(uint4 w, uint4 x) {
    const float low = dot_of_two(w.y, x.y, dot_of_two(w.x, x.x, 0.0f));
    return low + dot_of_two(w.w, x.w, dot_of_two(w.z, x.z, 0.0f));
}
// endregion: dot

__device__ __forceinline__ float warp_sum(float value) {
    for (int step = 16; step > 0; step /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, step);
    }
    return value;
}

__global__ void __launch_bounds__(32 * WARPS * SPLIT)
    row_products(const uint4* __restrict__ w, const uint4* __restrict__ x, __half* __restrict__ y,
                 int m, int chunks) {
    __shared__ float parts[SPLIT][WARPS][ROWS];
    const int lane = threadIdx.x % 32;
    const int warp = threadIdx.x / 32 % WARPS;
    const int part = threadIdx.x / 32 / WARPS;
    const long long first_row = (static_cast<long long>(blockIdx.x) * WARPS + warp) * ROWS;
    float sums[ROWS] = {};
    for (int first = part * 32 * UNROLL + lane; first < chunks; first += 32 * UNROLL * SPLIT) {
        uint4 eight[ROWS][UNROLL];
#pragma unroll
        for (int u = 0; u < UNROLL; ++u) {
            const int at = first + 32 * u;
#pragma unroll
            for (int r = 0; r < ROWS; ++r) {
                const bool inside = at < chunks && first_row + r < m;
                eight[r][u] = inside ? __ldcs(w + (first_row + r) * chunks + at) : uint4();
            }
        }
#pragma unroll
        for (int u = 0; u < UNROLL; ++u) {
            const uint4 values = x[min(first + 32 * u, chunks - 1)];
#pragma unroll
            for (int r = 0; r < ROWS; ++r) {
                sums[r] += dot_of_eight(eight[r][u], values);
            }
        }
    }
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
        const float sum = warp_sum(sums[r]);
        if (SPLIT == 1) {
            if (lane == 0 && first_row + r < m) {
                y[first_row + r] = __float2half(sum);
            }
        } else if (lane == 0) {
            parts[part][warp][r] = sum;
        }
    }
    if (SPLIT > 1) {
        __syncthreads();
        if (part == 0 && lane < ROWS && first_row + lane < m) {
            float sum = 0.0f;
            for (int p = 0; p < SPLIT; ++p) {
                sum += parts[p][warp][lane];
            }
            y[first_row + lane] = __float2half(sum);
        }
    }
}

// Rows of any length: a warp per row, one weight at a time.
__global__ void __launch_bounds__(128)
    row_products_of_any(const __half* __restrict__ w, const __half* __restrict__ x,
                        __half* __restrict__ y, int m, int k) {
    const int lane = threadIdx.x % 32;
    const long long row = static_cast<long long>(blockIdx.x) * 4 + threadIdx.x / 32;
    if (row >= m) {
        return;
    }
    float sum = 0.0f;
#pragma unroll 4
    for (int j = lane; j < k; j += 32) {
        sum += __half2float(w[row * k + j]) * __half2float(x[j]);
    }
    sum = warp_sum(sum);
    if (lane == 0) {
        y[row] = __float2half(sum);
    }
}

void launch(const __half* w, const __half* x, __half* y, int m, int k, cudaStream_t stream) {
    if (k % 8 == 0) {
        const int blocks = (m + WARPS * ROWS - 1) / (WARPS * ROWS);
        row_products<<<blocks, 32 * WARPS * SPLIT, 0, stream>>>(
            reinterpret_cast<const uint4*>(w), reinterpret_cast<const uint4*>(x), y, m, k / 8);
    } else {
        row_products_of_any<<<(m + 3) / 4, 128, 0, stream>>>(w, x, y, m, k);
    }
}
