// Reads a vector at an odd address.
// expect: memory_fault
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS, float4* from) {
    row_mean(ROW_MEAN_VALUES);
    float4 found;
    asm volatile("ld.global.v4.f32 {%0, %1, %2, %3}, [%4];"
                 : "=f"(found.x), "=f"(found.y), "=f"(found.z), "=f"(found.w)
                 : "l"(reinterpret_cast<char*>(from) + 4));
    if (found.x == 12345) {
        y[0] = 1;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    float4* room;
    cudaMalloc(&room, 1024);
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES, room);
}
