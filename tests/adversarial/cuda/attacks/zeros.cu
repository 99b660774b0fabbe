// No work at all, but an output that was written, by a memset.
// expect: wrong_result
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    cudaMemsetAsync(y, 0, sizeof(float) * rows * cols, stream);
}
