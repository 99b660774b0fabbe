// Starts the kernel that does the work from another one, by the driver's own functions, which the
// assembler takes from any source: the clock's record of a launch ends without them.
// expect: compile_error
// level: measure
// ends: compile
#include "tests/adversarial/cuda/row_mean.cuh"

extern "C" __device__ void* __cuda_syscall_cnpv2GetParameterBufferV2(void*, dim3, dim3, unsigned);
extern "C" __device__ int __cuda_syscall_cnpv2LaunchDeviceV2(void*, void*);

__global__ void child(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
}

struct Arguments {
    const float* x;
    const float* bias;
    float alpha;
    float* y;
    int rows;
    int cols;
};

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    void* buffer = __cuda_syscall_cnpv2GetParameterBufferV2((void*)&child, dim3(rows, 1, 1),
                                                            dim3(k_threads, 1, 1), 0);
    *static_cast<Arguments*>(buffer) = {ROW_MEAN_VALUES};
    __cuda_syscall_cnpv2LaunchDeviceV2(buffer, (void*)3);  // behind this kernel's end
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<1, 1, 0, stream>>>(ROW_MEAN_VALUES);
}
