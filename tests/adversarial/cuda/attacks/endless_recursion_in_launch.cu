// A launcher that calls itself until its stack ends.
// expect: memory_fault, memory_limit
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

static int deeper(int depth) {
    volatile char room[1024];
    room[0] = static_cast<char>(depth);
    return deeper(depth + 1) + room[0];
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<deeper(0), k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
