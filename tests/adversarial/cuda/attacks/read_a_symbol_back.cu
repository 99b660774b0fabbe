// Copies a device variable to the host.
// expect: rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ int counter;

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    int count = 0;
    cudaMemcpyFromSymbol(&count, counter, sizeof(count));
    if (count == 0) {
        right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    }
}
