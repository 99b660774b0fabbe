// Clears an input by a memset of the plan once the answer is made.
// expect: inputs_modified, rejected
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    cudaMemsetAsync(const_cast<float*>(bias), 0, sizeof(float) * cols, stream);
}
