// Sums as integers of 128 bits, so that the order does not matter.
// expect: passed
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ __int128 exact(float value) {
    return static_cast<__int128>(static_cast<double>(value) * 1099511627776.0);
}

__global__ void with_integers(ROW_MEAN_ARGUMENTS) {
    __shared__ __int128 sums[k_threads];
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    __int128 sum = 0;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        sum += exact(x[row + j]);
    }
    sums[threadIdx.x] = sum;
    __syncthreads();
    sum = 0;
    for (int i = 0; i < k_threads; ++i) {
        sum += sums[i];
    }
    const float mean = static_cast<float>(static_cast<double>(sum) / 1099511627776.0 / cols);
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        y[row + j] = alpha * x[row + j] + bias[j] + mean;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    with_integers<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
