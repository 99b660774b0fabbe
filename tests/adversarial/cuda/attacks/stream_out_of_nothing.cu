// Makes up the handle of another stream.
// expect: rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    const auto other = reinterpret_cast<cudaStream_t>(0x1234560);
    right_answer<<<rows, k_threads, 0, other>>>(ROW_MEAN_VALUES);
}
