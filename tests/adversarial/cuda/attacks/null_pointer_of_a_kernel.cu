// Launches nothing at all.
// expect: rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    void* arguments[] = {&rows};
    void (*kernel)(int) = nullptr;
    cudaLaunchKernel(kernel, dim3(1), dim3(1), arguments, 0, stream);
}
