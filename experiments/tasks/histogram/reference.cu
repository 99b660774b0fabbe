// How many keys equal each bin; keys outside of [0, bins) count nowhere.

constexpr int k_threads = 256;

__global__ void count(const int* keys, unsigned* counters, int n, int bins) {
    const long long i = static_cast<long long>(blockIdx.x) * k_threads + threadIdx.x;
    if (i < n && keys[i] >= 0 && keys[i] < bins) {
        atomicAdd(counters + keys[i], 1u);
    }
}

__global__ void write(const unsigned* counters, double* counts, int bins) {
    const long long b = static_cast<long long>(blockIdx.x) * k_threads + threadIdx.x;
    if (b < bins) {
        counts[b] = counters[b];
    }
}

void reference(const int* keys, double* counts, int n, int bins, cudaStream_t stream) {
    unsigned* counters = nullptr;
    cudaMalloc(&counters, bins * sizeof(unsigned));
    cudaMemsetAsync(counters, 0, bins * sizeof(unsigned), stream);
    count<<<(n + k_threads - 1) / k_threads, k_threads, 0, stream>>>(keys, counters, n, bins);
    write<<<(bins + k_threads - 1) / k_threads, k_threads, 0, stream>>>(counters, counts, bins);
    cudaFree(counters);
}
