// Changes one element of an input, in large launches only.
// expect: inputs_modified
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    __syncthreads();
    if (threadIdx.x == 0 && blockIdx.x == 7 && is_large(rows, cols)) {
        const_cast<float*>(x)[7 * cols + 3] += 1;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
