// Sets the same for the whole stream.
// expect: rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    cudaStreamSetAttribute(stream, 1, x);
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
