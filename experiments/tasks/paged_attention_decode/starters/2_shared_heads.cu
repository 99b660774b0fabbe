// All query heads that share a head of keys are answered together, so that the cache is read once;
// a sequence is cut into SPLITS parts, which other blocks take, and a second kernel puts their sums
// together. Eight lanes share a row, sixteen columns each, for HEADS query heads at a time.

#include <cuda_bf16.h>

#ifndef WARPS
#define WARPS 4  // tune: 1, 2, 4, 8
#endif
#ifndef HEADS
#define HEADS 2  // tune: 1, 2, 4
#endif
#ifndef SPLITS
#define SPLITS 8  // tune: 1, 2, 4, 8, 16, 32
#endif
#ifndef UNROLL
#define UNROLL 2  // tune: 1, 2, 4
#endif

constexpr int k_width = 128;
constexpr int k_page = 16;
constexpr int k_teams = 4 * WARPS;  // of eight lanes

struct Sixteen {
    uint4 low;
    uint4 high;
};
// Sixteen columns of a row: two chunks of eight, 64 columns apart.
__device__ __forceinline__ Sixteen load(const __nv_bfloat16* row, int part) {
    const uint4* chunks = reinterpret_cast<const uint4*>(row);
    return {chunks[part], chunks[8 + part]};
}
__device__ __forceinline__ void widen(const Sixteen& from, float (&to)[16]) {
    const unsigned words[] = {from.low.x,  from.low.y,  from.low.z,  from.low.w,
                              from.high.x, from.high.y, from.high.z, from.high.w};
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        to[2 * i] = __uint_as_float(words[i] << 16);
        to[2 * i + 1] = __uint_as_float(words[i] & 0xFFFF0000u);
    }
}

// A part's sums: k_width columns, then the maximum and the total weight.
constexpr int k_part = k_width + 2;

__global__ void __launch_bounds__(32 * WARPS)
    attend(const __nv_bfloat16* __restrict__ q, const __nv_bfloat16* __restrict__ k_cache,
           const __nv_bfloat16* __restrict__ v_cache, const int* __restrict__ table,
           const int* __restrict__ lengths, float scale, float* __restrict__ parts, int heads,
           int kv_heads, int slots) {
    __shared__ float outs[k_teams][k_width];
    __shared__ float tops[k_teams];
    __shared__ float totals[k_teams];
    const int group = heads / kv_heads;
    const int turns = (group + HEADS - 1) / HEADS;
    const int first = blockIdx.x % turns * HEADS;  // of the group's heads
    const int kv_head = blockIdx.x / turns % kv_heads;
    const long long sequence = blockIdx.x / turns / kv_heads;
    const int part = threadIdx.x % 8;
    const int team = threadIdx.x / 8;
    const long long row0 = sequence * heads + kv_head * group;
    float query[HEADS][16];
#pragma unroll
    for (int h = 0; h < HEADS; ++h) {
        widen(load(q + (row0 + min(first + h, group - 1)) * k_width, part), query[h]);
#pragma unroll
        for (float& value : query[h]) {
            value *= scale * 1.44269504f;  // exponentials to the base 2
        }
    }
    const int length = lengths[sequence];
    const int share = (length + SPLITS - 1) / SPLITS;
    const int begin = blockIdx.y * share;
    const int end = min(length, begin + share);
    const int* pages = table + sequence * slots;
    float top[HEADS];
    float total[HEADS] = {};
    float out[HEADS][16] = {};
#pragma unroll
    for (float& value : top) {
        value = -INFINITY;
    }
    for (int at = begin + team; at - team < end; at += k_teams * UNROLL) {
        Sixteen keys[UNROLL];
        Sixteen values[UNROLL];
#pragma unroll
        for (int u = 0; u < UNROLL; ++u) {
            const int position = min(at + u * k_teams, end - 1);
            const long long row =
                (static_cast<long long>(pages[position / k_page]) * k_page + position % k_page) *
                    kv_heads + kv_head;
            keys[u] = load(k_cache + row * k_width, part);
            values[u] = load(v_cache + row * k_width, part);
        }
#pragma unroll
        for (int u = 0; u < UNROLL; ++u) {
            float key[16];
            float value[16];
            widen(keys[u], key);
            widen(values[u], value);
            const bool inside = at + u * k_teams < end;
#pragma unroll
            for (int h = 0; h < HEADS; ++h) {
                float score = 0.0f;
#pragma unroll
                for (int i = 0; i < 16; ++i) {
                    score += query[h][i] * key[i];
                }
                for (int step = 4; step > 0; step /= 2) {
                    score += __shfl_xor_sync(0xffffffffu, score, step);
                }
                if (inside) {
                    const float now = fmaxf(top[h], score);
                    const float late = exp2f(top[h] - now);
                    const float weight = exp2f(score - now);
                    top[h] = now;
                    total[h] = total[h] * late + weight;
#pragma unroll
                    for (int i = 0; i < 16; ++i) {
                        out[h][i] = out[h][i] * late + weight * value[i];
                    }
                }
            }
        }
    }
#pragma unroll
    for (int h = 0; h < HEADS; ++h) {
        __syncthreads();
#pragma unroll
        for (int i = 0; i < 16; ++i) {
            outs[team][i / 8 * 64 + part * 8 + i % 8] = out[h][i];
        }
        if (part == 0) {
            tops[team] = top[h];
            totals[team] = total[h];
        }
        __syncthreads();
        if (first + h >= group) {
            continue;
        }
        float* to = parts + ((row0 + first + h) * SPLITS + blockIdx.y) * k_part;
        float highest = tops[0];
        for (int i = 1; i < k_teams; ++i) {
            highest = fmaxf(highest, tops[i]);
        }
        for (int e = threadIdx.x; e < k_width; e += 32 * WARPS) {
            float value = 0.0f;
            float sum = 0.0f;
            for (int i = 0; i < k_teams; ++i) {
                const float weight = highest == -INFINITY ? 0.0f : exp2f(tops[i] - highest);
                value += weight * outs[i][e];
                sum += weight * totals[i];
            }
            to[e] = value;
            if (e == 0) {
                to[k_width] = highest;
                to[k_width + 1] = sum;
            }
        }
    }
}

__global__ void __launch_bounds__(k_width)
    put_together(const float* __restrict__ parts, __nv_bfloat16* __restrict__ o) {
    const float* own = parts + static_cast<long long>(blockIdx.x) * SPLITS * k_part;
    float highest = -INFINITY;
#pragma unroll
    for (int s = 0; s < SPLITS; ++s) {
        highest = fmaxf(highest, own[s * k_part + k_width]);
    }
    float value = 0.0f;
    float sum = 0.0f;
#pragma unroll
    for (int s = 0; s < SPLITS; ++s) {
        const float weight = exp2f(own[s * k_part + k_width] - highest);  // zero of an empty part
        value += weight * own[s * k_part + threadIdx.x];
        sum += weight * own[s * k_part + k_width + 1];
    }
    o[static_cast<long long>(blockIdx.x) * k_width + threadIdx.x] = __float2bfloat16(value / sum);
}

void launch(const __nv_bfloat16* q, const __nv_bfloat16* k_cache, const __nv_bfloat16* v_cache,
            const int* table, const int* lengths, float scale, __nv_bfloat16* o, int batch,
            int heads, int kv_heads, int pages, int slots, cudaStream_t stream) {
    const int turns = (heads / kv_heads + HEADS - 1) / HEADS;
    float* parts = nullptr;
    cudaMalloc(&parts, sizeof(float) * batch * heads * SPLITS * k_part);
    attend<<<dim3(batch * kv_heads * turns, SPLITS), 32 * WARPS, 0, stream>>>(
        q, k_cache, v_cache, table, lengths, scale, parts, heads, kv_heads, slots);
    put_together<<<batch * heads, k_width, 0, stream>>>(parts, o);
    cudaFree(parts);
}
