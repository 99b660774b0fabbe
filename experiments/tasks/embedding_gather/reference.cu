// out[t] = row ids[t] of the table, or zeros where ids[t] is negative: one thread per value.

constexpr int k_threads = 256;

__global__ void gather(const float* table, const int* ids, double* out, int dim, long long count) {
    const long long at = static_cast<long long>(blockIdx.x) * k_threads + threadIdx.x;
    if (at < count) {
        const int id = ids[at / dim];
        out[at] = id < 0 ? 0.0 : table[static_cast<long long>(id) * dim + at % dim];
    }
}

void reference(const float* table, const int* ids, double* out, int vocab, int dim, int tokens,
               cudaStream_t stream) {
    const long long count = static_cast<long long>(tokens) * dim;
    gather<<<(count + k_threads - 1) / k_threads, k_threads, 0, stream>>>(table, ids, out, dim,
                                                                          count);
}
