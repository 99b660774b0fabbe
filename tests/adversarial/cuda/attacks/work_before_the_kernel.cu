// Puts the work into a kernel between two copies. Harmless: all steps of a plan are timed.
// expect: passed
// level: measure
// at_least_us: 300
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void work(ROW_MEAN_ARGUMENTS) {
    costly_row_mean(ROW_MEAN_VALUES);
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    float* answer;
    cudaMalloc(&answer, sizeof(float) * rows * cols);
    cudaMemsetAsync(answer, 0, sizeof(float) * rows * cols, stream);
    work<<<rows, k_threads, 0, stream>>>(x, bias, alpha, answer, rows, cols);
    cudaMemcpyAsync(y, answer, sizeof(float) * rows * cols, cudaMemcpyDeviceToDevice, stream);
}
