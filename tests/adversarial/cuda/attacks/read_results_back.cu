// Copies an output to the host.
// expect: rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    float first = 0;
    cudaMemcpy(&first, y, sizeof(first), cudaMemcpyDeviceToHost);
    if (first != first) {
        right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    }
}
