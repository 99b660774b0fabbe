// Checks what it takes for granted.
// expect: passed
#include <cassert>

#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void checked(ROW_MEAN_ARGUMENTS) {
    assert(blockDim.x == k_threads && blockIdx.x < rows && cols > 0);
    row_mean(ROW_MEAN_VALUES);
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    checked<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
