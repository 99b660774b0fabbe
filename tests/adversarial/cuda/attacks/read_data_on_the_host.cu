// Looks at an input in the launcher.
// expect: memory_fault
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<x[0] > 0 ? rows : 1, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
