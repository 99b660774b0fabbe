// A second kernel that starts early and waits on the device for the first one.
// expect: passed
// level: measure
__global__ void find_sums(const float* x, float* sums, int cols) {
    asm volatile("griddepcontrol.launch_dependents;");
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += 32) {
        sum += x[static_cast<size_t>(blockIdx.x) * cols + j];
    }
    for (int apart = 16; apart > 0; apart /= 2) {
        sum += __shfl_xor_sync(~0u, sum, apart);
    }
    if (threadIdx.x == 0) {
        sums[blockIdx.x] = sum;
    }
}

__global__ void finish(const float* x, const float* bias, float alpha, float* y, const float* sums,
                       int cols) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    asm volatile("griddepcontrol.wait;" ::: "memory");
    const float mean = *static_cast<const volatile float*>(sums + blockIdx.x) / cols;
    for (int j = threadIdx.x; j < cols; j += blockDim.x) {
        y[row + j] = alpha * x[row + j] + bias[j] + mean;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    float* sums;
    cudaMallocAsync(&sums, rows * sizeof(float), stream);
    find_sums<<<rows, 32, 0, stream>>>(x, sums, cols);
    cudaLaunchAttribute attributes[1] = {};
    attributes[0].id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attributes[0].val.programmaticStreamSerializationAllowed = 1;
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(rows);
    config.blockDim = dim3(128);
    config.stream = stream;
    config.attrs = attributes;
    config.numAttrs = 1;
    cudaLaunchKernelEx(&config, finish, x, bias, alpha, y, static_cast<const float*>(sums), cols);
}
