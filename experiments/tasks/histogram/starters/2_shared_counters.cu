// Counters of each block's own in shared memory, several copies where they fit, so that warps meet
// in one counter less often; they are added to those in memory at the end. Four keys per load.
// Where not even one copy fits, the counters in memory are used at once.

#ifndef BLOCK
#define BLOCK 256  // tune: 128, 256, 512, 1024
#endif
#ifndef BLOCKS
#define BLOCKS 264  // tune: 132, 264, 528, 1056
#endif
#ifndef COPIES
#define COPIES 4  // tune: 1, 2, 4, 8
#endif

constexpr int k_shared_counters = 8 * 1024;

__device__ void count_key(int* counters, int key, int bins) {
    if (static_cast<unsigned>(key) < static_cast<unsigned>(bins)) {
        atomicAdd(counters + key, 1);
    }
}

// `copies` is 0 where shared memory is not used.
__global__ void __launch_bounds__(BLOCK)
    count(const int* __restrict__ keys, int* counts, int n, int bins, int copies) {
    extern __shared__ int shared[];
    int* counters = copies > 0 ? shared + threadIdx.x / 32 % copies * bins : counts;
    for (int b = threadIdx.x; b < bins * copies; b += BLOCK) {
        shared[b] = 0;
    }
    __syncthreads();
    const int4* fours = reinterpret_cast<const int4*>(keys);
    const int threads = gridDim.x * BLOCK;
    const int thread = blockIdx.x * BLOCK + threadIdx.x;
    for (int i = thread; i < n / 4; i += threads) {
        const int4 four = fours[i];
        count_key(counters, four.x, bins);
        count_key(counters, four.y, bins);
        count_key(counters, four.z, bins);
        count_key(counters, four.w, bins);
    }
    if (thread < n % 4) {
        count_key(counters, keys[n / 4 * 4 + thread], bins);
    }
    __syncthreads();
    if (copies > 0) {
        for (int b = threadIdx.x; b < bins; b += BLOCK) {
            int sum = 0;
            for (int copy = 0; copy < copies; ++copy) {
                sum += shared[copy * bins + b];
            }
            if (sum > 0) {
                atomicAdd(counts + b, sum);
            }
        }
    }
}

void launch(const int* keys, int* counts, int n, int bins, cudaStream_t stream) {
    int copies = COPIES;
    while (copies > 0 && static_cast<long long>(copies) * bins > k_shared_counters) {
        copies /= 2;
    }
    const int needed = (n / 4 + BLOCK) / BLOCK;
    const int blocks = needed < BLOCKS ? needed : BLOCKS;
    cudaMemsetAsync(counts, 0, bins * sizeof(int), stream);
    count<<<blocks, BLOCK, copies * bins * sizeof(int), stream>>>(keys, counts, n, bins, copies);
}
