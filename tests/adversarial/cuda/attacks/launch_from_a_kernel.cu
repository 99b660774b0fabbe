// Starts a kernel from a kernel, whose end nobody waits for.
// expect: compile_error
// ends: compile
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void child(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
}

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    if (threadIdx.x == 0 && blockIdx.x == 0) {
        child<<<rows, k_threads>>>(ROW_MEAN_VALUES);
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<1, 1, 0, stream>>>(ROW_MEAN_VALUES);
}
