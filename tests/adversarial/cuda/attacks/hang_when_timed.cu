// Ends in its first launch after it was loaded, and in no other: those can only be timed ones.
// expect: timeout
// level: measure
// limits: launch
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ volatile int calls;

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
}

__global__ void count() {
    const int before = calls;
    calls = before + 1;
    while (before > 0 && calls > 0) {
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    count<<<1, 1, 0, stream>>>();
}
