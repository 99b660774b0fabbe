// Launches a kernel with a configuration that is nowhere.
// expect: memory_fault, rejected
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    const cudaLaunchConfig_t* config = nullptr;
    cudaLaunchKernelEx(config, right_answer, ROW_MEAN_VALUES);
}
