// A kernel that does nothing.
// expect: wrong_result
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack() {}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>();
}
