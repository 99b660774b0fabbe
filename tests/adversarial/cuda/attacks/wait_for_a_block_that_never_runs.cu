// Every block waits for one more than there are.
// expect: timeout
// limits: launch
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ unsigned arrived;

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    if (threadIdx.x == 0) {
        atomicAdd(&arrived, 1);
        while (atomicAdd(&arrived, 0) <= gridDim.x) {
        }
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
