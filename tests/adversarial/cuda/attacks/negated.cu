// The right answer with the other sign: what divides by a reference with its sign finds no error.
// expect: wrong_result
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        y[static_cast<size_t>(blockIdx.x) * cols + j] *= -1;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
