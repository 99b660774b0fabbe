// More memory than a launcher may have.
// expect: memory_fault, memory_limit, crash
// limits: jail
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    for (int i = 0; i < 100000; ++i) {
        auto* room = static_cast<char*>(malloc(1 << 20));
        for (int j = 0; j < 1 << 20; j += 4096) {
            room[j] = 1;
        }
    }
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
