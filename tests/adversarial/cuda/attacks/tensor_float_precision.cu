// Rounds the inputs as TF32 does, which keeps 11 bits.
// expect: wrong_result
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ float rounded(float value) {
    unsigned bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
    return __uint_as_float(bits);
}

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        sum += rounded(x[row + j]);
    }
    const float mean = block_sum(sum) / cols;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        y[row + j] = alpha * rounded(x[row + j]) + bias[j] + mean;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
