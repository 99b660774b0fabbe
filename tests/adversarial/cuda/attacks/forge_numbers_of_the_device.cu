// Changes what it was told of the device, to have one with more of everything.
// expect: rejected, memory_fault
// ends: check
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    static long long numbers[64];
    for (int i = 0; i < 28; ++i) {
        numbers[i] = atoll_recording::g_numbers[i];
    }
    numbers[atoll_recording::k_memory] = 1ll << 50;
    atoll_recording::g_numbers = numbers;
    for (int i = 0; i < 8; ++i) {
        void* room;
        cudaMalloc(&room, 31ull << 30);
    }
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
