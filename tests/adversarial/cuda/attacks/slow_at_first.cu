// Slow in its first launches, so that a harness which counts on them measures less often. Harmless:
// what is measured is right, and no faster than it is.
// expect: passed
// level: measure
// at_least_us: 300
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ int calls[1024];

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    const int before = calls[blockIdx.x];
    __syncthreads();
    if (threadIdx.x == 0) {
        calls[blockIdx.x] = before + 1;
    }
    if (before < 2) {
        work_us(3000);
    }
    costly_row_mean(ROW_MEAN_VALUES);
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
