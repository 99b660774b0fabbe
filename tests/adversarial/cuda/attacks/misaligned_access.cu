// Writes a double at an address that is no multiple of eight.
// expect: memory_fault
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS, char* room) {
    row_mean(ROW_MEAN_VALUES);
    asm volatile("st.global.f64 [%0], %1;" : : "l"(room + 4), "d"(1.0) : "memory");
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    char* room;
    cudaMalloc(&room, 1024);
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES, room);
}
