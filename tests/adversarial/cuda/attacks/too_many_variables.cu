// Declares more variables of the device than may be loaded: they would take its memory before any kernel
// runs.
// expect: compile_limit, compile_error
// ends: compile
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ float some[40 << 20];
__device__ float more[40 << 20];

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    if (cols < 0) {
        some[threadIdx.x] = more[threadIdx.x] = alpha;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
