// Has the copy engine read past an input.
// expect: rejected
// ends: check
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    float* room;
    cudaMalloc(&room, 1 << 20);
    cudaMemcpyAsync(room, bias, 1 << 20, cudaMemcpyDeviceToDevice, stream);
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
