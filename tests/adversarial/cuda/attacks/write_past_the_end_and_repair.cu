// Writes past the output and puts back what was there.
// expect: memory_fault
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    if (threadIdx.x == 0 && blockIdx.x == 0) {
        volatile float* const behind = y + static_cast<size_t>(rows) * cols;
        const float before = *behind;
        *behind = 1;
        __threadfence();
        *behind = before;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
