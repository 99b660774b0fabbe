// Has a kernel that is right and never starts it, but copies an input.
// expect: wrong_result
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    if (rows < 0) {
        right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    }
    cudaMemcpyAsync(y, x, sizeof(float) * rows * cols, cudaMemcpyDeviceToDevice, stream);
}
