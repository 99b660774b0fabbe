// Reads where the memory of the runner's process may be: a kernel reaches what is pinned of it.
// expect: memory_fault
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ unsigned long long found;

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    for (unsigned long long i = threadIdx.x; i < (1 << 16); i += k_threads) {
        found += *reinterpret_cast<volatile unsigned long long*>(0x7f0000000000ull + (i << 24));
    }
    row_mean(ROW_MEAN_VALUES);
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
