// Takes all memory in parts.
// expect: rejected
// ends: check
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    for (int i = 0; i < 200; ++i) {
        void* room;
        cudaMalloc(&room, 1ull << 30);
    }
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
