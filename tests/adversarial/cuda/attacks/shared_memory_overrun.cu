// Writes beyond the block's shared memory.
// expect: memory_fault, crash
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    __shared__ float room[k_threads];
    row_mean(ROW_MEAN_VALUES);
    static_cast<volatile float*>(room)[threadIdx.x + (rows + 1) * 100000] = 1;
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
