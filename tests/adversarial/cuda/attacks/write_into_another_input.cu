// Writes through one input's pointer into where another may lie.
// expect: memory_fault, inputs_modified
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    __syncthreads();
    const long long apart = bias - x;
    if (blockIdx.x == 0 && threadIdx.x < cols) {
        const_cast<float*>(x)[apart + threadIdx.x] = 0.5F;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
