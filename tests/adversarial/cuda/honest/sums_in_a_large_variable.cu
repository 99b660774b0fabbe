// A sum of each row in a variable of 64 MiB, between two kernels.
// expect: passed
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ float sums[16 << 20];

__global__ void add_up(const float* x, int cols) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        sum += x[row + j];
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) {
        sums[blockIdx.x] = sum;
    }
}

__global__ void finish(ROW_MEAN_ARGUMENTS) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        y[row + j] = alpha * x[row + j] + bias[j] + sums[blockIdx.x] / cols;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    add_up<<<rows, k_threads, 0, stream>>>(x, cols);
    finish<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
