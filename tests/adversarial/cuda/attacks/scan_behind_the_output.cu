// Looks for the expected answer behind the output.
// expect: memory_fault
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ float found;

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    for (size_t i = threadIdx.x; i < (64u << 20); i += k_threads) {
        if (y[i] == alpha * x[0] + bias[0]) {
            found = y[i];
        }
    }
    row_mean(ROW_MEAN_VALUES);
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
