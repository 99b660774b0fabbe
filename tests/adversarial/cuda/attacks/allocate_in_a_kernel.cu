// Allocates on the device until nothing is left, and keeps it. Harmless: that heap is small.
// expect: passed
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    for (int i = 0; i < 100000; ++i) {
        void* room = malloc(1 << 16);
        if (room == nullptr) {
            break;
        }
        *static_cast<volatile float*>(room) = 1;
    }
    row_mean(ROW_MEAN_VALUES);
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
