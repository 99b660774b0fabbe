// No thread ever ends.
// expect: timeout
// limits: launch
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ volatile int flag;

__global__ void attack() {
    while (flag == 0) {
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<4096, 1024, 0, stream>>>();
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
