// Leaves out one row of a large launch, another one each time.
// expect: wrong_result, inconsistent
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    __shared__ bool skip;
    if (threadIdx.x == 0) {
        skip = is_large(rows, cols) && __float_as_uint(x[0]) % 311 == blockIdx.x;
    }
    __syncthreads();
    if (!skip) {
        row_mean(ROW_MEAN_VALUES);
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
