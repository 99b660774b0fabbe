// Sums by CUB.
// expect: passed
// level: measure
#include <cub/block/block_reduce.cuh>

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int cols) {
    using Reduce = cub::BlockReduce<float, 128>;
    __shared__ typename Reduce::TempStorage storage;
    __shared__ float mean;
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += 128) {
        sum += x[row + j];
    }
    sum = Reduce(storage).Sum(sum);
    if (threadIdx.x == 0) {
        mean = sum / cols;
    }
    __syncthreads();
    for (int j = threadIdx.x; j < cols; j += 128) {
        y[row + j] = alpha * x[row + j] + bias[j] + mean;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    row_mean<<<rows, 128, 0, stream>>>(x, bias, alpha, y, cols);
}
