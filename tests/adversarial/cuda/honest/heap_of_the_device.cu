// Memory from the heap of kernels, taken and given back by each block.
// expect: passed
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void with_heap(ROW_MEAN_ARGUMENTS) {
    __shared__ float* sums;
    if (threadIdx.x == 0) {
        sums = static_cast<float*>(malloc(k_threads * sizeof(float)));
    }
    __syncthreads();
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    if (sums == nullptr) {
        row_mean(ROW_MEAN_VALUES);
        return;
    }
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        sum += x[row + j];
    }
    sums[threadIdx.x] = sum;
    __syncthreads();
    float mean = 0;
    for (int i = 0; i < k_threads; ++i) {
        mean += sums[i];
    }
    mean /= cols;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        y[row + j] = alpha * x[row + j] + bias[j] + mean;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        free(sums);
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    with_heap<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
