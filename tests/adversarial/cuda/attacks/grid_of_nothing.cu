// A grid without blocks.
// expect: rejected
// ends: check
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<0, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
