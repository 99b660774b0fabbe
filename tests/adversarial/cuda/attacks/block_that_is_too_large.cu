// A block beyond the device's limits.
// expect: rejected
// ends: check
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, 2048, 0, stream>>>(ROW_MEAN_VALUES);
}
