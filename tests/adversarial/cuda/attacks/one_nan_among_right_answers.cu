// One element is no number.
// expect: non_finite
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    __syncthreads();
    if (blockIdx.x + 1 == rows && threadIdx.x == 0) {
        y[static_cast<size_t>(rows) * cols - 1] = __int_as_float(0x7fc00000);
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
