// Hands a kernel an address of the launcher's own memory.
// expect: rejected, memory_fault
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS, volatile int* secret) {
    row_mean(ROW_MEAN_VALUES);
    *secret = 1;
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    static int counter = 0;
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES, &counter);
}
