// One block per row that reads it once, eight columns per load but for the ends of a row that is
// not aligned: each thread scales its sum down when it meets a larger value, for ITEMS loads at a
// time; threads' maxima and sums are merged at the end.

#include <cuda_bf16.h>

#ifndef BLOCK
#define BLOCK 128  // tune: 32, 64, 128, 256, 512
#endif
#ifndef ITEMS
#define ITEMS 2  // tune: 1, 2, 4, 8
#endif

constexpr int k_warps = BLOCK / 32;

struct Part {
    float highest;
    float sum;
};

__device__ __forceinline__ float power_of_two(float exponent) {
    float power;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(exponent));
    return power;
}

constexpr float k_log2_e = 1.44269504f;

// A part without values has the highest value -infinity, and the sum 0.
__device__ Part merged(Part a, Part b) {
    const float highest = fmaxf(a.highest, b.highest);
    const auto worth = [&](Part part) {
        return part.highest == highest
                   ? part.sum
                   : part.sum * power_of_two((part.highest - highest) * k_log2_e);
    };
    return {highest, worth(a) + worth(b)};
}

// Eight columns; minus infinity where the row has none.
struct Eight {
    unsigned pairs[4];
};
__device__ __forceinline__ float low(unsigned pair) {
    return __uint_as_float(pair << 16);
}
__device__ __forceinline__ float high(unsigned pair) {
    return __uint_as_float(pair & 0xFFFF0000u);
}

// The columns from c on of a row that has those from `begin` to `end`.
__device__ __forceinline__ Eight load(const __nv_bfloat16* row, int c, int begin, int end) {
    if (c >= begin && c + 8 <= end) {
        const uint4 eight = *reinterpret_cast<const uint4*>(row + c);
        return {{eight.x, eight.y, eight.z, eight.w}};
    }
    Eight some;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
        const auto column = [&](int at) -> unsigned {
            return at >= begin && at < end ? __bfloat16_as_ushort(row[at]) : 0xFF80u;
        };
        some.pairs[j] = column(c + 2 * j) | column(c + 2 * j + 1) << 16;
    }
    return some;
}

// region: row
__global__ void __launch_bounds__(BLOCK)
    entropy_of_row(const __nv_bfloat16* __restrict__ logits, const int* __restrict__ labels,
                   float* __restrict__ loss, float* __restrict__ lse, int classes) {
    __shared__ Part of_warp[k_warps];
    const long long first = static_cast<long long>(blockIdx.x) * classes;
    const int skipped = static_cast<int>(first % 8);  // of the eight values that a row begins in
    const __nv_bfloat16* row = logits + first - skipped;
    const int end = skipped + classes;
    Part part = {-INFINITY, 0.0f};
    for (int c = 8 * threadIdx.x; c < end; c += 8 * BLOCK * ITEMS) {
        Eight some[ITEMS];
#pragma unroll
        for (int i = 0; i < ITEMS; ++i) {
            some[i] = load(row, c + 8 * BLOCK * i, skipped, end);
        }
        float highest = part.highest;
#pragma unroll
        for (int i = 0; i < ITEMS; ++i) {
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                highest = fmaxf(highest, fmaxf(low(some[i].pairs[j]), high(some[i].pairs[j])));
            }
        }
        // The first eight has a column of the row: finite from here on.
        part.sum *= power_of_two((part.highest - highest) * k_log2_e);
        part.highest = highest;
#pragma unroll
        for (int i = 0; i < ITEMS; ++i) {
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                part.sum += power_of_two((low(some[i].pairs[j]) - highest) * k_log2_e) +
                            power_of_two((high(some[i].pairs[j]) - highest) * k_log2_e);
            }
        }
    }
    for (int step = 16; step > 0; step /= 2) {
        part = merged(part, {__shfl_xor_sync(0xffffffffu, part.highest, step),
                             __shfl_xor_sync(0xffffffffu, part.sum, step)});
    }
    if (threadIdx.x % 32 == 0) {
        of_warp[threadIdx.x / 32] = part;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int w = 1; w < k_warps; ++w) {
            part = merged(part, of_warp[w]);
        }
        const int label = labels[blockIdx.x];
        const float logit = __bfloat162float(row[skipped + (label < 0 ? 0 : label)]);
        const float log_sum = logf(part.sum);
        lse[blockIdx.x] = part.highest + log_sum;
        loss[blockIdx.x] = label < 0 ? 0.0f : (part.highest - logit) + log_sum;
    }
}
// endregion: row

void launch(const __nv_bfloat16* logits, const int* labels, float* loss, float* lse, int rows,
            int classes, cudaStream_t stream) {
    entropy_of_row<<<rows, BLOCK, 0, stream>>>(logits, labels, loss, lse, classes);
}
