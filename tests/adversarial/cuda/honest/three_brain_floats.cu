// Splits each number into three of 8 bits, which together have all 24, and adds them up apart.
// expect: passed
// level: measure
#include <cuda_bf16.h>

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int cols) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    float sums[3] = {0, 0, 0};
    for (int j = threadIdx.x; j < cols; j += 32) {
        float rest = x[row + j];
        for (float& sum : sums) {
            const __nv_bfloat16 part = __float2bfloat16(rest);
            sum += __bfloat162float(part);
            rest -= __bfloat162float(part);
        }
    }
    float sum = (sums[2] + sums[1]) + sums[0];
    for (int apart = 16; apart > 0; apart /= 2) {
        sum += __shfl_xor_sync(~0u, sum, apart);
    }
    for (int j = threadIdx.x; j < cols; j += 32) {
        y[row + j] = alpha * x[row + j] + bias[j] + sum / cols;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    row_mean<<<rows, 32, 0, stream>>>(x, bias, alpha, y, cols);
}
