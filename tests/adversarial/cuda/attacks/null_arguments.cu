// Launches a kernel without its arguments.
// expect: rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    cudaLaunchKernel(right_answer, dim3(rows), dim3(k_threads), nullptr, 0, stream);
}
