// More dynamic shared memory than the device has.
// expect: rejected
// ends: check
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    cudaFuncSetAttribute(right_answer, cudaFuncAttributeMaxDynamicSharedMemorySize, 400 << 10);
    right_answer<<<rows, k_threads, 400 << 10, stream>>>(ROW_MEAN_VALUES);
}
