// More static shared memory than a kernel can have.
// expect: compile_error
// ends: compile
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    __shared__ volatile float room[60 << 10];
    for (int i = threadIdx.x; i < (60 << 10); i += k_threads) {
        room[i] = x[i % cols];
    }
    __syncthreads();
    row_mean(ROW_MEAN_VALUES);
    if (room[rows] == 12345) {
        y[0] = 1;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
