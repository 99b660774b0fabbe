// An assertion that fails.
// expect: crash
// never_says: secret_of_the_assertion
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    if (threadIdx.x == 0) {
        __assertfail("secret_of_the_assertion", "file", 1, "attack", 1);
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
