// Waits at a barrier for threads that the block does not have.
// expect: timeout, crash
// limits: launch
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    if (threadIdx.x < 64) {
        asm volatile("bar.sync 1, 96;");
    }
    while (threadIdx.x >= 64 && clock64() > 0) {
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
