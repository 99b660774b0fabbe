// More allocations than a plan holds.
// expect: rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    for (int i = 0; i < 1000000; ++i) {
        void* room;
        cudaMalloc(&room, 256);
        cudaFree(room);
    }
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
