// Declares a variable that moves to the host.
// expect: compile_error
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

__managed__ int counter;

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
