// Synchronises a grid that was launched like any other.
// expect: crash, timeout
// limits: launch
#include <cooperative_groups.h>

#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    cooperative_groups::this_grid().sync();
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
