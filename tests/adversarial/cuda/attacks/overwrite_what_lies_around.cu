// Overwrites a word of every 64 KiB around the output, where an expected answer or a counter of
// errors could be.
// expect: memory_fault
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    char* const around = reinterpret_cast<char*>(reinterpret_cast<unsigned long long>(y) & ~7ull);
    for (long long i = threadIdx.x + 1; i < (8 << 10); i += k_threads) {
        *reinterpret_cast<double*>(around + (i << 16)) = 0;
        *reinterpret_cast<double*>(around - (i << 16)) = 0;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
