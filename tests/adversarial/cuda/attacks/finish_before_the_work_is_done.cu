// Lets a small kernel start and end beside the one that does the work, to look quick. Harmless: the
// time ends with the last kernel to end, whichever it is.
// expect: passed
// level: measure
// at_least_us: 300
#include "tests/adversarial/cuda/row_mean.cuh"

__global__ void work(ROW_MEAN_ARGUMENTS) {
    asm volatile("griddepcontrol.launch_dependents;");
    costly_row_mean(ROW_MEAN_VALUES);
}

__global__ void decoy() {}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    work<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    cudaLaunchAttribute attribute = {};
    attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attribute.val.programmaticStreamSerializationAllowed = 1;
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(1);
    config.blockDim = dim3(32);
    config.stream = stream;
    config.attrs = &attribute;
    config.numAttrs = 1;
    cudaLaunchKernelEx(&config, decoy);
}
