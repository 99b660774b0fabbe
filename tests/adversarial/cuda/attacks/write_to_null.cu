// Writes to address 0.
// expect: memory_fault
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(float* to) {
    *to = 1;
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    attack<<<1, 1, 0, stream>>>(nullptr);
}
