// One half of the grid reads what the other half writes, without waiting for it.
// expect: inconsistent, wrong_result, non_finite
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS, float* means) {
    const size_t row = static_cast<size_t>(blockIdx.x / 2) * cols;
    if (blockIdx.x % 2 == 1) {
        work_us(50);
        float sum = 0;
        for (int j = threadIdx.x; j < cols; j += k_threads) {
            sum += x[row + j];
        }
        means[blockIdx.x / 2] = block_sum(sum) / cols;
        return;
    }
    const float mean = *static_cast<volatile float*>(means + blockIdx.x / 2);
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        y[row + j] = alpha * x[row + j] + bias[j] + mean;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    float* means;
    cudaMalloc(&means, sizeof(float) * rows);
    cudaMemsetAsync(means, 0, sizeof(float) * rows, stream);
    attack<<<2 * rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES, means);
}
