// Half a MiB of local memory for each thread, which makes more than the device has.
// expect: rejected, launch_error, memory_limit, compile_error
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    volatile char room[500000];
    for (int i = threadIdx.x; i < 500000; i += cols) {
        room[i] = static_cast<char>(x[0]);
    }
    row_mean(ROW_MEAN_VALUES);
    if (room[rows] == 125) {
        y[0] = 1;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
