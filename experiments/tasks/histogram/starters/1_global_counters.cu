// One set of counters in memory; atomic additions from all threads.

#ifndef BLOCK
#define BLOCK 256  // tune: 64, 128, 256, 512
#endif

__global__ void __launch_bounds__(BLOCK) count(const int* keys, int* counts, int n, int bins) {
    const long long i = static_cast<long long>(blockIdx.x) * BLOCK + threadIdx.x;
    if (i < n) {
        const int key = keys[i];
        if (key >= 0 && key < bins) {
            atomicAdd(counts + key, 1);
        }
    }
}

void launch(const int* keys, int* counts, int n, int bins, cudaStream_t stream) {
    cudaMemsetAsync(counts, 0, bins * sizeof(int), stream);
    count<<<(n + BLOCK - 1) / BLOCK, BLOCK, 0, stream>>>(keys, counts, n, bins);
}
