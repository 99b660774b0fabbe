// A grid beyond the device's limits, whose failure would leave what is there.
// expect: rejected
// ends: check
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<dim3(rows, 70000), k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
