// Changes an input after the answer is made.
// expect: inputs_modified
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    __syncthreads();
    if (threadIdx.x == 0) {
        const_cast<float*>(x)[blockIdx.x * cols] = 7;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
