// Leaves out what does not fill a vector of four.
// expect: wrong_result
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        sum += x[row + j];
    }
    const float mean = block_sum(sum) / cols;
    for (int j = threadIdx.x; j < cols / 4 * 4; j += k_threads) {
        y[row + j] = alpha * x[row + j] + bias[j] + mean;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
