// Has the host compute once the device is done.
// expect: rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

static void work(void*) {}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    cudaLaunchHostFunc(stream, work, nullptr);
}
