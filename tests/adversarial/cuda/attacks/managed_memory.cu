// Asks for memory that moves to the host.
// expect: rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    float* room;
    cudaMallocManaged(&room, 4096);
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
