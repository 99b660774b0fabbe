// One block per row that reads the row once and keeps it in registers, eight columns at a time but
// for the ends of a row that is not aligned. Rows that do not fit are read twice: maximum and sum
// in one go.

#include <cuda_bf16.h>

#ifndef BLOCK
#define BLOCK 128  // tune: 64, 128, 256, 512, 1024
#endif
#ifndef ITEMS
#define ITEMS 5  // tune: 1, 2, 3, 4, 5
#endif

constexpr int k_warps = BLOCK / 32;
constexpr int k_kept = 8 * ITEMS;  // columns per thread

__device__ float block_maximum(float value) {
    for (int step = 16; step > 0; step /= 2) {
        value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, step));
    }
    if (k_warps > 1) {
        __shared__ float of_warp[k_warps];
        if (threadIdx.x % 32 == 0) {
            of_warp[threadIdx.x / 32] = value;
        }
        __syncthreads();
        value = of_warp[0];
        for (int w = 1; w < k_warps; ++w) {
            value = fmaxf(value, of_warp[w]);
        }
    }
    return value;
}

__device__ float block_sum(float value) {
    for (int step = 16; step > 0; step /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, step);
    }
    if (k_warps > 1) {
        __shared__ float of_warp[k_warps];
        if (threadIdx.x % 32 == 0) {
            of_warp[threadIdx.x / 32] = value;
        }
        __syncthreads();
        value = of_warp[0];
        for (int w = 1; w < k_warps; ++w) {
            value += of_warp[w];
        }
    }
    return value;
}

// region: kept_row
__global__ void __launch_bounds__(BLOCK)
    softmax_kept(const __nv_bfloat16* __restrict__ x, __nv_bfloat16* __restrict__ y, int cols) {
    const long long first = static_cast<long long>(blockIdx.x) * cols;
    const int skipped = static_cast<int>(first % 8);  // of the eight values that a row begins in
    const __nv_bfloat16* from = x + first - skipped;
    __nv_bfloat16* to = y + first - skipped;
    const int end = skipped + cols;
    float kept[k_kept];
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int c = 8 * (i * BLOCK + threadIdx.x);
        if (c >= skipped && c + 8 <= end) {
            const uint4 eight = *reinterpret_cast<const uint4*>(from + c);
            const unsigned words[] = {eight.x, eight.y, eight.z, eight.w};
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                kept[8 * i + 2 * j] = __uint_as_float(words[j] << 16);
                kept[8 * i + 2 * j + 1] = __uint_as_float(words[j] & 0xFFFF0000u);
            }
        } else {
#pragma unroll
            for (int j = 0; j < 8; ++j) {
                kept[8 * i + j] =
                    c + j >= skipped && c + j < end ? __bfloat162float(from[c + j]) : -INFINITY;
            }
        }
    }
    float maximum = kept[0];
#pragma unroll
    for (int i = 1; i < k_kept; ++i) {
        maximum = fmaxf(maximum, kept[i]);
    }
    maximum = block_maximum(maximum);
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < k_kept; ++i) {
        kept[i] = __expf(kept[i] - maximum);
        sum += kept[i];
    }
    const float factor = 1.0f / block_sum(sum);
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int c = 8 * (i * BLOCK + threadIdx.x);
        if (c >= skipped && c + 8 <= end) {
            unsigned words[4];
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                const __nv_bfloat162 pair = __floats2bfloat162_rn(kept[8 * i + 2 * j] * factor,
                                                                  kept[8 * i + 2 * j + 1] * factor);
                words[j] = *reinterpret_cast<const unsigned*>(&pair);
            }
            *reinterpret_cast<uint4*>(to + c) = make_uint4(words[0], words[1], words[2], words[3]);
        } else {
#pragma unroll
            for (int j = 0; j < 8; ++j) {
                if (c + j >= skipped && c + j < end) {
                    to[c + j] = __float2bfloat16(kept[8 * i + j] * factor);
                }
            }
        }
    }
}
// endregion: kept_row

__global__ void __launch_bounds__(BLOCK)
    softmax_long(const __nv_bfloat16* __restrict__ x, __nv_bfloat16* __restrict__ y, int cols) {
    const __nv_bfloat16* from = x + static_cast<long long>(blockIdx.x) * cols;
    __nv_bfloat16* to = y + static_cast<long long>(blockIdx.x) * cols;
    float maximum = -INFINITY;
    float sum = 0.0f;
    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        const float value = __bfloat162float(from[c]);
        if (value > maximum) {
            sum *= __expf(maximum - value);
            maximum = value;
        }
        sum += __expf(value - maximum);
    }
    const float highest = block_maximum(maximum);
    const float factor = 1.0f / block_sum(maximum == -INFINITY ? 0.0f
                                                               : sum * __expf(maximum - highest));
    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        to[c] = __float2bfloat16(__expf(__bfloat162float(from[c]) - highest) * factor);
    }
}

void launch(const __nv_bfloat16* x, __nv_bfloat16* y, int rows, int cols, cudaStream_t stream) {
    const int most = cols % 8 == 0 ? 0 : 7;  // places skipped at a row's start
    if (cols + most > BLOCK * k_kept) {
        softmax_long<<<rows, BLOCK, 0, stream>>>(x, y, cols);
    } else {
        softmax_kept<<<rows, BLOCK, 0, stream>>>(x, y, cols);
    }
}
