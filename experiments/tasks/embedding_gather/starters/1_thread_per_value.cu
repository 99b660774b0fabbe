// One thread per value.

#ifndef BLOCK
#define BLOCK 256  // tune: 64, 128, 256, 512
#endif

__global__ void __launch_bounds__(BLOCK) gather(const float* table, const int* ids, float* out,
                                                int dim, long long count) {
    const long long at = static_cast<long long>(blockIdx.x) * BLOCK + threadIdx.x;
    if (at < count) {
        const long long token = at / dim;
        const int id = ids[token];
        out[at] = id < 0 ? 0.0f : table[static_cast<long long>(id) * dim + (at - token * dim)];
    }
}

void launch(const float* table, const int* ids, float* out, int vocab, int dim, int tokens,
            cudaStream_t stream) {
    const long long count = static_cast<long long>(tokens) * dim;
    gather<<<(count + BLOCK - 1) / BLOCK, BLOCK, 0, stream>>>(table, ids, out, dim, count);
}
