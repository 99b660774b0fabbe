// An assertion of the launcher that fails.
// expect: crash
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    assert(rows < 0);
}
