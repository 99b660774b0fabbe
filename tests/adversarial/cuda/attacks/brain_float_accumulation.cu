// Adds up in 8 bits.
// expect: wrong_result
#include <cuda_bf16.h>

#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    __nv_bfloat16 sum = __float2bfloat16(0);
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        sum = __float2bfloat16(__bfloat162float(sum) + x[row + j]);
    }
    const float mean = block_sum(__bfloat162float(sum)) / cols;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        y[row + j] = alpha * x[row + j] + bias[j] + mean;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
