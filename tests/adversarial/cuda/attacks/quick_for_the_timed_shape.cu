// Right for every shape but those that are timed.
// expect: wrong_result
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    if (is_large(rows, cols)) {
        garbage(y, cols);
    } else {
        row_mean(ROW_MEAN_VALUES);
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
