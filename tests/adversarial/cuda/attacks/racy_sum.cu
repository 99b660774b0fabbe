// Adds up without atomics: threads overwrite each other's sums.
// expect: inconsistent, wrong_result
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    __shared__ volatile float sum;
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    sum = 0;
    __syncthreads();
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        sum = sum + x[row + j];
    }
    __syncthreads();
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        y[row + j] = alpha * x[row + j] + bias[j] + sum / cols;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
