// Ends, but not while anybody waits: 4000 kernels of a second each.
// expect: timeout
// limits: launch
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void second() {
    work_us(1000000);
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    for (int i = 0; i < 4000; ++i) {
        second<<<1, 32, 0, stream>>>();
    }
}
