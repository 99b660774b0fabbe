// Writes past the output, as far as it gets.
// expect: memory_fault
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    for (size_t i = threadIdx.x; i < (64u << 20); i += k_threads) {
        y[static_cast<size_t>(rows) * cols + i] = 1;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
