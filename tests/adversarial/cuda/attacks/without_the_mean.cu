// Leaves the mean out: it is next to nothing where rows are long and random.
// expect: wrong_result
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        y[row + j] = alpha * x[row + j] + bias[j];
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
