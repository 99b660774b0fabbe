// Writes what unwritten outputs are filled with.
// expect: wrong_result, non_finite
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        const size_t at = static_cast<size_t>(blockIdx.x) * cols + j;
        y[at] = *static_cast<volatile float*>(y + at);
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
