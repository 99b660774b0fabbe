// Launches before it is asked for anything.
// expect: crash, launch_error
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void early() {}

static int run_early() {
    early<<<1, 1>>>();
    return 0;
}
static int result = run_early();

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
