// Calls itself until its stack ends.
// expect: memory_fault, crash
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ __noinline__ float deeper(const float* x, int depth) {
    volatile float room[64];
    room[depth % 64] = x[0];
    if (depth < 0) {
        return room[1];
    }
    return deeper(x, depth + 1) + room[depth % 64];
}

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    y[0] = deeper(x, 0);
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
