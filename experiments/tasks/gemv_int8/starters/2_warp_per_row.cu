// One warp per row: sixteen weights of one group at a time where rows are aligned for that, else
// one by one. Several loads are under way before the first is used.

#ifndef WARPS
#define WARPS 4  // tune: 1, 2, 4, 8, 16
#endif
#ifndef UNROLL
#define UNROLL 4  // tune: 1, 2, 4, 8
#endif

constexpr int k_group = 64;

__device__ float dot_of_four(int weights, float4 x) {
    return static_cast<float>(static_cast<signed char>(weights)) * x.x +
           static_cast<float>(static_cast<signed char>(weights >> 8)) * x.y +
           static_cast<float>(static_cast<signed char>(weights >> 16)) * x.z +
           static_cast<float>(weights >> 24) * x.w;
}

template <bool VECTOR>
__global__ void __launch_bounds__(32 * WARPS)
    row_products(const signed char* __restrict__ q, const float* __restrict__ scale,
                 const float* __restrict__ x, float* __restrict__ y, int m, int k) {
    const int lane = threadIdx.x % 32;
    const long long row = static_cast<long long>(blockIdx.x) * WARPS + threadIdx.x / 32;
    if (row >= m) {
        return;
    }
    const float* scales = scale + row * ((k + k_group - 1) / k_group);
    float sum = 0.0f;
    if (VECTOR) {
        const int4* weights = reinterpret_cast<const int4*>(q + row * k);
        const float4* values = reinterpret_cast<const float4*>(x);
        for (int first = lane; first < k / 16; first += 32 * UNROLL) {
            int4 sixteen[UNROLL];
#pragma unroll
            for (int u = 0; u < UNROLL; ++u) {
                const int at = first + 32 * u;
                sixteen[u] = at < k / 16 ? weights[at] : make_int4(0, 0, 0, 0);
            }
#pragma unroll
            for (int u = 0; u < UNROLL; ++u) {
                const int at = first + 32 * u;
                if (at < k / 16) {
                    const float part = dot_of_four(sixteen[u].x, values[4 * at]) +
                                       dot_of_four(sixteen[u].y, values[4 * at + 1]) +
                                       dot_of_four(sixteen[u].z, values[4 * at + 2]) +
                                       dot_of_four(sixteen[u].w, values[4 * at + 3]);
                    sum += part * scales[at / 4];
                }
            }
        }
    } else {
#pragma unroll UNROLL
        for (int j = lane; j < k; j += 32) {
            sum += scales[j / k_group] * (q[row * k + j] * x[j]);
        }
    }
    for (int step = 16; step > 0; step /= 2) {
        sum += __shfl_down_sync(0xffffffffu, sum, step);
    }
    if (lane == 0) {
        y[row] = sum;
    }
}

void launch(const signed char* q, const float* scale, const float* x, float* y, int m, int k,
            cudaStream_t stream) {
    const int blocks = (m + WARPS - 1) / WARPS;
    if (k % 16 == 0) {
        row_products<true><<<blocks, 32 * WARPS, 0, stream>>>(q, scale, x, y, m, k);
    } else {
        row_products<false><<<blocks, 32 * WARPS, 0, stream>>>(q, scale, x, y, m, k);
    }
}
