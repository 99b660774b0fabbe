// Ends the process before it is asked for anything.
// expect: crash, launch_error
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

static int result = (exit(0), 0);

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
