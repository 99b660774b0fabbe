// Puts the processor's time stamp into a launch.
// expect: rejected, crash, forbidden_call, memory_fault
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS, unsigned long long now) {
    if (now % 2 == 0) {
        row_mean(ROW_MEAN_VALUES);
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES, __builtin_ia32_rdtsc());
}
