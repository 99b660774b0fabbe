// Whatever row they are in, each thread has PER values of the result, four columns each where the
// rows are aligned for that, so that all blocks have the same work. What is written does not take
// the table's place in the L2 cache.

#ifndef BLOCK
#define BLOCK 128  // tune: 64, 128, 256, 512
#endif
#ifndef PER
#define PER 2  // tune: 1, 2, 3, 4
#endif

// `T`: float or float4; `width` and `total` are counted in it. `Index` holds `total`.
template <class T, class Index>
__global__ void __launch_bounds__(BLOCK)
    gather(const T* __restrict__ table, const int* __restrict__ ids, T* __restrict__ out,
           Index width, Index total) {
    const Index first = static_cast<Index>(blockIdx.x) * (BLOCK * PER) + threadIdx.x;
    T values[PER];
#pragma unroll
    for (int i = 0; i < PER; ++i) {
        const Index at = first + i * BLOCK;
        values[i] = T();
        if (at < total) {
            const Index token = at / width;
            const int id = ids[token];
            if (id >= 0) {
                values[i] = table[static_cast<long long>(id) * width + (at - token * width)];
            }
        }
    }
#pragma unroll
    for (int i = 0; i < PER; ++i) {
        const Index at = first + i * BLOCK;
        if (at < total) {
            __stcs(out + at, values[i]);
        }
    }
}

template <class T>
void launch_blocks(const float* table, const int* ids, float* out, long long width, int tokens,
                   cudaStream_t stream) {
    const long long total = width * tokens;
    const long long blocks = (total + BLOCK * PER - 1) / (BLOCK * PER);
    const T* from = reinterpret_cast<const T*>(table);
    T* to = reinterpret_cast<T*>(out);
    if (total < 1ll << 31) {
        gather<T, unsigned><<<blocks, BLOCK, 0, stream>>>(from, ids, to, width, total);
    } else {
        gather<T, long long><<<blocks, BLOCK, 0, stream>>>(from, ids, to, width, total);
    }
}

void launch(const float* table, const int* ids, float* out, int vocab, int dim, int tokens,
            cudaStream_t stream) {
    if (dim % 4 == 0) {
        launch_blocks<float4>(table, ids, out, dim / 4, tokens, stream);
    } else {
        launch_blocks<float>(table, ids, out, dim, tokens, stream);
    }
}
