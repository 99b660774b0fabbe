// Prints from every thread. It goes nowhere, and takes its time.
// expect: passed, timeout
// never_says: flood of text
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    for (int i = 0; i < 20; ++i) {
        printf("flood of text %d %d %d\n", blockIdx.x, threadIdx.x, i);
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
