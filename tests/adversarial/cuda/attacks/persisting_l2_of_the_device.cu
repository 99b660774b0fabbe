// Takes a part of the L2 cache for itself.
// expect: rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    cudaDeviceSetLimit(6, 32 << 20);
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
