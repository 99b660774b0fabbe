// Works on a stream that no clock watches.
// expect: rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    cudaStream_t other;
    cudaStreamCreate(&other);
    right_answer<<<rows, k_threads, 0, other>>>(ROW_MEAN_VALUES);
}
