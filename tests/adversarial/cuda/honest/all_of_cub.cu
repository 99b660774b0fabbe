// Includes CUB as everybody does.
// expect: passed
#include <cub/cub.cuh>

#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void by_cub(ROW_MEAN_ARGUMENTS) {
    using Reduce = cub::BlockReduce<float, k_threads>;
    __shared__ Reduce::TempStorage storage;
    __shared__ float mean;
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        sum += x[row + j];
    }
    sum = Reduce(storage).Sum(sum);
    if (threadIdx.x == 0) {
        mean = sum / cols;
    }
    __syncthreads();
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        y[row + j] = alpha * x[row + j] + bias[j] + mean;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    by_cub<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
