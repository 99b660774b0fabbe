// Ends itself in its second launch after it was loaded: that can only be a timed one.
// expect: crash
// level: measure
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ int calls;

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
}

__global__ void count() {
    if (calls++ > 0) {
        asm volatile("trap;");
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    count<<<1, 1, 0, stream>>>();
}
