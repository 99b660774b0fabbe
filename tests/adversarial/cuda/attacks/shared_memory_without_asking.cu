// More dynamic shared memory than a kernel has that did not ask for it.
// expect: rejected
// ends: check
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 100 << 10, stream>>>(ROW_MEAN_VALUES);
}
