// Asks for more memory than there is and does not look at the answer.
// expect: memory_fault
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void use(float* room) {
    room[threadIdx.x] = 1;
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    float* room = nullptr;
    cudaMalloc(&room, 1ull << 40);
    use<<<1, 1, 0, stream>>>(room);
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
