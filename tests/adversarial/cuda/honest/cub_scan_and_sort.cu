// Sorts a row by CUB before it is added up from its smallest element, which changes little.
// expect: passed
// level: measure
#include <cub/block/block_radix_sort.cuh>

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int cols) {
    using Sort = cub::BlockRadixSort<float, 128, 8>;
    __shared__ typename Sort::TempStorage storage;
    __shared__ double sums[128];
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    float keys[8];
    for (int i = 0; i < 8; ++i) {
        const int j = threadIdx.x * 8 + i;
        keys[i] = j < cols ? x[row + j] : 0.0F;
    }
    Sort(storage).Sort(keys);
    double sum = 0;
    for (const float key : keys) {
        sum += key;
    }
    sums[threadIdx.x] = sum;
    __syncthreads();
    sum = 0;
    for (const double part : sums) {
        sum += part;
    }
    for (int j = threadIdx.x; j < cols; j += 128) {
        y[row + j] = alpha * x[row + j] + bias[j] + static_cast<float>(sum / cols);
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    row_mean<<<rows, 128, 0, stream>>>(x, bias, alpha, y, cols);
}
