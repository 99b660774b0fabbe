// One block per query head. Eight lanes share a row, sixteen columns each, so a warp has four
// positions at once. At the end the sums of these teams, each relative to a maximum of its own, are
// put together.

#include <cuda_bf16.h>

#ifndef WARPS
#define WARPS 8  // tune: 2, 4, 8, 16
#endif
#ifndef UNROLL
#define UNROLL 2  // tune: 1, 2, 4
#endif

constexpr int k_width = 128;
constexpr int k_page = 16;

// Sixteen columns of a row: two chunks of eight, 64 columns apart.
struct Sixteen {
    uint4 low;
    uint4 high;
};
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

__global__ void __launch_bounds__(32 * WARPS)
    attention(const __nv_bfloat16* __restrict__ q, const __nv_bfloat16* __restrict__ k_cache,
              const __nv_bfloat16* __restrict__ v_cache, const int* __restrict__ table,
              const int* __restrict__ lengths, float scale, __nv_bfloat16* __restrict__ o,
              int heads, int kv_heads, int slots) {
    __shared__ float outs[WARPS * 4][k_width];
    __shared__ float tops[WARPS * 4];
    __shared__ float totals[WARPS * 4];
    const long long sequence = blockIdx.x / heads;
    const int kv_head = blockIdx.x % heads / (heads / kv_heads);
    const int part = threadIdx.x % 8;
    const int team = threadIdx.x / 8;  // of eight lanes
    float query[16];
    widen(load(q + static_cast<long long>(blockIdx.x) * k_width, part), query);
#pragma unroll
    for (float& value : query) {
        value *= scale;
    }
    const int length = lengths[sequence];
    const int* pages = table + sequence * slots;
    float top = -INFINITY;
    float total = 0.0f;
    float out[16] = {};
    for (int begin = team; begin - team < length; begin += WARPS * 4 * UNROLL) {
        Sixteen keys[UNROLL];
        Sixteen values[UNROLL];
#pragma unroll
        for (int u = 0; u < UNROLL; ++u) {
            const int position = min(begin + u * WARPS * 4, length - 1);
            const long long row =
                (static_cast<long long>(pages[position / k_page]) * k_page + position % k_page) *
                    kv_heads + kv_head;
            keys[u] = load(k_cache + row * k_width, part);
            values[u] = load(v_cache + row * k_width, part);
        }
#pragma unroll
        for (int u = 0; u < UNROLL; ++u) {
            float key[16];
            widen(keys[u], key);
            float score = 0.0f;
#pragma unroll
            for (int i = 0; i < 16; ++i) {
                score += query[i] * key[i];
            }
            for (int step = 4; step > 0; step /= 2) {
                score += __shfl_xor_sync(0xffffffffu, score, step);
            }
            if (begin + u * WARPS * 4 < length) {
                const float now = fmaxf(top, score);
                const float late = __expf(top - now);
                const float weight = __expf(score - now);
                top = now;
                total = total * late + weight;
                float value[16];
                widen(values[u], value);
#pragma unroll
                for (int i = 0; i < 16; ++i) {
                    out[i] = out[i] * late + weight * value[i];
                }
            }
        }
    }
#pragma unroll
    for (int i = 0; i < 16; ++i) {
        outs[team][i / 8 * 64 + part * 8 + i % 8] = out[i];
    }
    if (part == 0) {
        tops[team] = top;
        totals[team] = total;
    }
    __syncthreads();
    for (int e = threadIdx.x; e < k_width; e += 32 * WARPS) {
        float highest = tops[0];
        for (int i = 1; i < WARPS * 4; ++i) {
            highest = fmaxf(highest, tops[i]);
        }
        float sum = 0.0f;
        float value = 0.0f;
        for (int i = 0; i < WARPS * 4; ++i) {
            const float weight = __expf(tops[i] - highest);  // zero of a team without a position
            sum += weight * totals[i];
            value += weight * outs[i][e];
        }
        o[static_cast<long long>(blockIdx.x) * k_width + e] = __float2bfloat16(value / sum);
    }
}

void launch(const __nv_bfloat16* q, const __nv_bfloat16* k_cache, const __nv_bfloat16* v_cache,
            const int* table, const int* lengths, float scale, __nv_bfloat16* o, int batch,
            int heads, int kv_heads, int pages, int slots, cudaStream_t stream) {
    attention<<<batch * heads, 32 * WARPS, 0, stream>>>(q, k_cache, v_cache, table, lengths, scale,
                                                        o, heads, kv_heads, slots);
}
