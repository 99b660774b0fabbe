// Rounds the number of elements up to vectors, and so writes up to three past the output.
// expect: memory_fault
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void pad(ROW_MEAN_ARGUMENTS) {
    const int count = rows * cols;
    for (int i = count + threadIdx.x; i < (count + 3) / 4 * 4; i += k_threads) {
        y[i] = 0;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    pad<<<1, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
