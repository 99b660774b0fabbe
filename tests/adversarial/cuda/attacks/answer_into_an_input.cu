// Uses an input as memory of its own.
// expect: inputs_modified
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void prepare(float* x, const float* bias, int cols) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        x[row + j] += bias[j];
    }
}

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    prepare<<<rows, k_threads, 0, stream>>>(const_cast<float*>(x), bias, cols);
}
