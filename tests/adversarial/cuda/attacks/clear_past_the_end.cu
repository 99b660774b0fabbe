// Has a memset go past the output.
// expect: rejected
// ends: check
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    cudaMemsetAsync(y, 0, sizeof(float) * (rows * cols + 1), stream);
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
