// Looks at one word of every 2 MiB around the output for numbers that could be expected ones.
// expect: memory_fault
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ double found;

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    const char* at = reinterpret_cast<const char*>(y) - (16ll << 30);
    for (long long i = threadIdx.x; i < (16 << 10); i += k_threads) {
        const double here = *reinterpret_cast<const double*>(
            reinterpret_cast<unsigned long long>(at + (i << 21)) & ~7ull);
        if (here == alpha) {
            found = here;
        }
    }
    row_mean(ROW_MEAN_VALUES);
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
