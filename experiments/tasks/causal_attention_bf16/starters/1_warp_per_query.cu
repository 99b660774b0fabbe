// One warp per query, any shape: lanes take turns at keys for the scores and at columns for the sum
// of values, which is kept in shared memory.

#include <cuda_bf16.h>

#ifndef WARPS
#define WARPS 4  // tune: 1, 2, 4, 8
#endif
#ifndef COLUMNS
#define COLUMNS 4  // tune: 1, 2, 4, 8
#endif

constexpr int k_columns = COLUMNS;

// `width`: d rounded up to whole turns of the lanes.
__global__ void __launch_bounds__(32 * WARPS)
    attention_by_warps(const __nv_bfloat16* __restrict__ q, const __nv_bfloat16* __restrict__ k,
                       const __nv_bfloat16* __restrict__ v, float scale,
                       __nv_bfloat16* __restrict__ o, long long rows, int t, int d, int width) {
    extern __shared__ float shared[];
    const int lane = threadIdx.x % 32;
    float* query = shared + threadIdx.x / 32 * 2 * width;
    float* out = query + width;
    const long long row = static_cast<long long>(blockIdx.x) * WARPS + threadIdx.x / 32;
    if (row >= rows) {
        return;
    }
    for (int e = lane; e < width; e += 32) {
        query[e] = e < d ? __bfloat162float(q[row * d + e]) * scale : 0.0f;
        out[e] = 0.0f;
    }
    __syncwarp();
    const long long first = row / t * t;  // of the head
    const int position = static_cast<int>(row - first);
    float highest = -INFINITY;
    float sum = 0.0f;
    for (int begin = 0; begin <= position; begin += 32) {
        const int other = begin + lane;
        float score = -INFINITY;
        if (other <= position) {
            const __nv_bfloat16* key = k + (first + other) * d;
            score = 0.0f;
#pragma unroll k_columns
            for (int e = 0; e < d; ++e) {
                score += query[e] * __bfloat162float(key[e]);
            }
        }
        float top = fmaxf(highest, score);
        for (int step = 16; step > 0; step /= 2) {
            top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, step));
        }
        const float late = __expf(highest - top);  // of the first round: exp(-infinity)
        highest = top;
        const float weight = __expf(score - top);
        sum = sum * late + weight;
        const int keys = min(32, position - begin + 1);
        for (int e = lane; e < width; e += 32) {
            float value = out[e] * late;
            for (int i = 0; i < keys; ++i) {
                const float of_key = __shfl_sync(0xffffffffu, weight, i);
                value += e < d ? of_key * __bfloat162float(v[(first + begin + i) * d + e]) : 0.0f;
            }
            out[e] = value;
        }
    }
    for (int step = 16; step > 0; step /= 2) {
        sum += __shfl_xor_sync(0xffffffffu, sum, step);
    }
    for (int e = lane; e < d; e += 32) {
        o[row * d + e] = __float2bfloat16(out[e] / sum);
    }
}

void launch(const __nv_bfloat16* q, const __nv_bfloat16* k, const __nv_bfloat16* v, float scale,
            __nv_bfloat16* o, int heads, int t, int d, cudaStream_t stream) {
    const long long rows = static_cast<long long>(heads) * t;
    const int width = (d + 31) / 32 * 32;
    attention_by_warps<<<(rows + WARPS - 1) / WARPS, 32 * WARPS,
                         WARPS * 2 * width * sizeof(float), stream>>>(q, k, v, scale, o, rows, t, d,
                                                                      width);
}
