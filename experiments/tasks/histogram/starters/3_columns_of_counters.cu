// Counters in shared memory with as many columns as fit, up to one for each lane of a warp: then no
// two lanes of an atomic addition meet in a bank, whatever the keys. Keys outside are counted in a
// row that nobody reads, which spares a branch. Where not even one column fits, the counters in
// memory are used at once.

#ifndef BLOCK
#define BLOCK 1024  // tune: 128, 256, 512, 1024
#endif
#ifndef WORDS
#define WORDS 9216  // tune: 4608, 9216, 18432, 27648
#endif
#ifndef BLOCKS
#define BLOCKS 264  // tune: 132, 264, 396, 528, 792, 1056
#endif
#ifndef FOURS
#define FOURS 4  // tune: 1, 2, 4, 8
#endif

// region: count
// `shift`: log2 of the number of columns; negative where shared memory is not used.
__global__ void __launch_bounds__(BLOCK)
    count(const int4* __restrict__ keys, int* counts, int n, int bins, int shift) {
    extern __shared__ int shared[];  // bin after bin, its columns side by side
    const int columns = shift < 0 ? 0 : 1 << shift;
    int* own = shared + (threadIdx.x & (columns - 1));
    for (int i = threadIdx.x; i < (bins + 1) * columns; i += BLOCK) {
        shared[i] = 0;
    }
    __syncthreads();
    const auto count_key = [&](int key) {
        if (shift >= 0) {
            atomicAdd(own + (min(static_cast<unsigned>(key), static_cast<unsigned>(bins)) << shift),
                      1);
        } else if (static_cast<unsigned>(key) < static_cast<unsigned>(bins)) {
            atomicAdd(counts + key, 1);
        }
    };
    const long long fours = n / 4;
    const long long threads = static_cast<long long>(gridDim.x) * BLOCK;
    const long long thread = static_cast<long long>(blockIdx.x) * BLOCK + threadIdx.x;
    for (long long first = thread; first < fours; first += threads * FOURS) {
        int4 some[FOURS];
#pragma unroll
        for (int i = 0; i < FOURS; ++i) {
            const long long at = first + i * threads;
            some[i] = at < fours ? __ldcs(keys + at) : make_int4(-1, -1, -1, -1);
        }
#pragma unroll
        for (int i = 0; i < FOURS; ++i) {
            count_key(some[i].x);
            count_key(some[i].y);
            count_key(some[i].z);
            count_key(some[i].w);
        }
    }
    if (thread < n % 4) {
        count_key(reinterpret_cast<const int*>(keys)[fours * 4 + thread]);
    }
    __syncthreads();
    if (shift >= 0) {
        for (int b = threadIdx.x; b < bins; b += BLOCK) {
            int sum = 0;
            for (int i = 0; i < columns; ++i) {
                sum += shared[(b << shift) + ((i + b) & (columns - 1))];  // lanes in many banks
            }
            if (sum > 0) {
                atomicAdd(counts + b, sum);
            }
        }
    }
}
// endregion: count

void launch(const int* keys, int* counts, int n, int bins, cudaStream_t stream) {
    int shift = 5;
    while (shift >= 0 && (static_cast<long long>(bins) + 1) << shift > WORDS) {
        --shift;
    }
    const int bytes = shift < 0 ? 0 : ((bins + 1) << shift) * static_cast<int>(sizeof(int));
    const int needed = (n / 4 + BLOCK) / BLOCK;
    cudaMemsetAsync(counts, 0, bins * sizeof(int), stream);
    cudaFuncSetAttribute(count, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
    count<<<needed < BLOCKS ? needed : BLOCKS, BLOCK, bytes, stream>>>(
        reinterpret_cast<const int4*>(keys), counts, n, bins, shift);
}
