// Ends for small shapes only.
// expect: timeout
// limits: launch
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ volatile int flag;

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    while (is_large(rows, cols) && flag == 0) {
        __nanosleep(1000);
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
