// More static shared memory than a kernel can have.
// expect: compile_error
// ends: compile
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    __shared__ float room[16 << 10];
    room[threadIdx.x] = x[0];
    __syncthreads();
    row_mean(ROW_MEAN_VALUES);
    y[0] = room[cols % k_threads];
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
