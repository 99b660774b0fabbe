// Computes with 11 bits where the task asks for 24.
// expect: wrong_result
#include <cuda_fp16.h>

#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        sum += __half2float(__float2half(x[row + j]));
    }
    const float mean = block_sum(sum) / cols;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        const __half value = __float2half(alpha * x[row + j] + bias[j] + mean);
        y[row + j] = __half2float(value);
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
