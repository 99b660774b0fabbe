// LANES threads per token, four columns per load where the rows are aligned for that; each has
// UNROLL loads on their way at once.

#ifndef WARPS
#define WARPS 4  // tune: 2, 4, 8
#endif
#ifndef LANES
#define LANES 32  // tune: 4, 8, 16, 32
#endif
#ifndef UNROLL
#define UNROLL 6  // tune: 1, 2, 3, 4, 6
#endif

constexpr int k_threads = 32 * WARPS;
constexpr int k_tokens = k_threads / LANES;  // per block

// `T`: float or float4; `width` is counted in it.
template <class T>
__global__ void __launch_bounds__(k_threads)
    gather(const T* __restrict__ table, const int* __restrict__ ids, T* __restrict__ out, int width,
           int tokens) {
    const long long token = static_cast<long long>(blockIdx.x) * k_tokens + threadIdx.x / LANES;
    if (token >= tokens) {
        return;
    }
    const int id = ids[token];
    const T* from = table + static_cast<long long>(max(id, 0)) * width;
    T* to = out + token * width;
    for (int first = threadIdx.x % LANES; first < width; first += LANES * UNROLL) {
        T values[UNROLL];
#pragma unroll
        for (int i = 0; i < UNROLL; ++i) {
            const int c = first + i * LANES;
            values[i] = id >= 0 && c < width ? from[c] : T();
        }
#pragma unroll
        for (int i = 0; i < UNROLL; ++i) {
            const int c = first + i * LANES;
            if (c < width) {
                to[c] = values[i];
            }
        }
    }
}

void launch(const float* table, const int* ids, float* out, int vocab, int dim, int tokens,
            cudaStream_t stream) {
    const int blocks = (tokens + k_tokens - 1) / k_tokens;
    if (dim % 4 == 0) {
        gather<float4><<<blocks, k_threads, 0, stream>>>(
            reinterpret_cast<const float4*>(table), ids, reinterpret_cast<float4*>(out), dim / 4,
            tokens);
    } else {
        gather<float><<<blocks, k_threads, 0, stream>>>(table, ids, out, dim, tokens);
    }
}
