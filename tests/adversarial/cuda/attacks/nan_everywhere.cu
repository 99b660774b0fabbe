// An answer that a careless comparison passes.
// expect: non_finite
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    for (int j = threadIdx.x; j < cols; j += k_threads) {
        y[static_cast<size_t>(blockIdx.x) * cols + j] = __int_as_float(0x7fffffff);
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
