// One block per row that reads the row once and keeps it in registers, eight columns at a time but
// for the ends of a row that is not aligned. What is kept are the values as they came: exponentials
// are computed twice, once for their sum and once to be written, so that more loads are on their
// way. Rows that do not fit are read twice: maximum and sum in one go.

#include <cuda_bf16.h>

#ifndef BLOCK
#define BLOCK 128  // tune: 32, 64, 128, 256, 512, 1024
#endif
#ifndef ITEMS
#define ITEMS 5  // tune: 1, 2, 3, 4, 5, 10, 20
#endif

constexpr int k_warps = BLOCK / 32;

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

__device__ __forceinline__ float low(unsigned pair) {
    return __uint_as_float(pair << 16);
}
__device__ __forceinline__ float high(unsigned pair) {
    return __uint_as_float(pair & 0xFFFF0000u);
}

__device__ __forceinline__ float power_of_two(float exponent) {
    float power;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(exponent));
    return power;
}

// region: kept_row
__global__ void __launch_bounds__(BLOCK)
    softmax_kept(const __nv_bfloat16* __restrict__ x, __nv_bfloat16* __restrict__ y, int cols) {
    constexpr unsigned k_nothing = 0xFF80FF80u;  // two of minus infinity
    constexpr float k_log2_e = 1.44269504f;
    const long long first = static_cast<long long>(blockIdx.x) * cols;
    const int skipped = static_cast<int>(first % 8);  // of the eight values that a row begins in
    const __nv_bfloat16* from = x + first - skipped;
    __nv_bfloat16* to = y + first - skipped;
    const int end = skipped + cols;
    unsigned kept[ITEMS][4];
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int c = 8 * (i * BLOCK + threadIdx.x);
        if (c >= skipped && c + 8 <= end) {
            const uint4 eight = *reinterpret_cast<const uint4*>(from + c);
            kept[i][0] = eight.x;
            kept[i][1] = eight.y;
            kept[i][2] = eight.z;
            kept[i][3] = eight.w;
        } else {
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                kept[i][j] = k_nothing;
                const int at = c + 2 * j;
                if (at >= skipped && at < end) {
                    kept[i][j] = (k_nothing & 0xFFFF0000u) | __bfloat16_as_ushort(from[at]);
                }
                if (at + 1 >= skipped && at + 1 < end) {
                    kept[i][j] = (kept[i][j] & 0xFFFFu) |
                                 static_cast<unsigned>(__bfloat16_as_ushort(from[at + 1])) << 16;
                }
            }
        }
    }
    float maximum = -INFINITY;
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            maximum = fmaxf(maximum, fmaxf(low(kept[i][j]), high(kept[i][j])));
        }
    }
    maximum = block_maximum(maximum);
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            sum += power_of_two((low(kept[i][j]) - maximum) * k_log2_e) +
                   power_of_two((high(kept[i][j]) - maximum) * k_log2_e);
        }
    }
    const float shift = -log2f(block_sum(sum));
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int c = 8 * (i * BLOCK + threadIdx.x);
        unsigned words[4];
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            const __nv_bfloat162 pair = __floats2bfloat162_rn(
                power_of_two((low(kept[i][j]) - maximum) * k_log2_e + shift),
                power_of_two((high(kept[i][j]) - maximum) * k_log2_e + shift));
            words[j] = *reinterpret_cast<const unsigned*>(&pair);
        }
        if (c >= skipped && c + 8 <= end) {
            *reinterpret_cast<uint4*>(to + c) = make_uint4(words[0], words[1], words[2], words[3]);
        } else {
#pragma unroll
            for (int j = 0; j < 8; ++j) {
                if (c + j >= skipped && c + j < end) {
                    const unsigned word = words[j / 2];
                    to[c + j] = __ushort_as_bfloat16(
                        static_cast<unsigned short>(j % 2 == 0 ? word : word >> 16));
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
    const int places = cols + (cols % 8 == 0 ? 0 : 7);  // with those skipped at a row's start
    if (places > ITEMS * BLOCK * 8) {
        softmax_long<<<rows, BLOCK, 0, stream>>>(x, y, cols);
    } else {
        softmax_kept<<<rows, BLOCK, 0, stream>>>(x, y, cols);
    }
}
