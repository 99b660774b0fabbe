// Launches a function of the host.
// expect: rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

static void no_kernel(int) {}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    void* arguments[] = {&rows};
    cudaLaunchKernel(no_kernel, dim3(1), dim3(1), arguments, 0, stream);
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
