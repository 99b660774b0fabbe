// LANES threads per token, four columns per load where the rows are aligned for that; each group of
// lanes has TOKENS tokens on their way at once.

#ifndef WARPS
#define WARPS 4  // tune: 2, 4, 8
#endif
#ifndef LANES
#define LANES 32  // tune: 4, 8, 16, 32
#endif
#ifndef TOKENS
#define TOKENS 4  // tune: 1, 2, 4, 8
#endif

constexpr int k_threads = 32 * WARPS;
constexpr int k_groups = k_threads / LANES;

// `T`: float or float4; `width` is counted in it.
template <class T>
__global__ void __launch_bounds__(k_threads)
    gather(const T* __restrict__ table, const int* __restrict__ ids, T* __restrict__ out, int width,
           int tokens) {
    const int lane = threadIdx.x % LANES;
    const long long first =
        (static_cast<long long>(blockIdx.x) * k_groups + threadIdx.x / LANES) * TOKENS;
    int id[TOKENS];
#pragma unroll
    for (int t = 0; t < TOKENS; ++t) {
        id[t] = first + t < tokens ? ids[first + t] : -1;
    }
    for (int c = lane; c < width; c += LANES) {
        T values[TOKENS];
#pragma unroll
        for (int t = 0; t < TOKENS; ++t) {
            values[t] = id[t] >= 0 ? table[static_cast<long long>(id[t]) * width + c] : T();
        }
#pragma unroll
        for (int t = 0; t < TOKENS; ++t) {
            if (first + t < tokens) {
                out[(first + t) * width + c] = values[t];
            }
        }
    }
}

void launch(const float* table, const int* ids, float* out, int vocab, int dim, int tokens,
            cudaStream_t stream) {
    const int blocks = (tokens + k_groups * TOKENS - 1) / (k_groups * TOKENS);
    if (dim % 4 == 0) {
        gather<float4><<<blocks, k_threads, 0, stream>>>(reinterpret_cast<const float4*>(table), ids,
                                                         reinterpret_cast<float4*>(out), dim / 4,
                                                         tokens);
    } else {
        gather<float><<<blocks, k_threads, 0, stream>>>(table, ids, out, dim, tokens);
    }
}
