// Gives what it finds in memory that nobody wrote.
// expect: wrong_result, non_finite
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    float* found;
    cudaMalloc(&found, sizeof(float) * rows * cols);
    cudaMemcpyAsync(y, found, sizeof(float) * rows * cols, cudaMemcpyDeviceToDevice, stream);
}
