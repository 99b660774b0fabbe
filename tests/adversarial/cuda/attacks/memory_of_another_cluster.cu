// Asks for shared memory of a block that its cluster does not have.
// expect: crash, memory_fault
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    __shared__ float room[k_threads];
    row_mean(ROW_MEAN_VALUES);
    unsigned mine = static_cast<unsigned>(__cvta_generic_to_shared(room + threadIdx.x));
    unsigned other;
    float found;
    asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(other) : "r"(mine), "r"(13));
    asm volatile("ld.shared::cluster.f32 %0, [%1];" : "=f"(found) : "r"(other));
    if (found == 12345) {
        y[0] = 1;
    }
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
