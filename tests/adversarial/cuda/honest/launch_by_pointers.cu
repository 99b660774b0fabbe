// cudaLaunchKernel with an array of arguments, and error checks as people write them.
// expect: passed
// level: measure
#include <cstdio>
#define CHECK(call)                                                   \
    do {                                                              \
        const cudaError_t error = (call);                             \
        if (error != cudaSuccess) {                                   \
            fprintf(stderr, "%s\n", cudaGetErrorString(error));       \
            return;                                                   \
        }                                                             \
    } while (0)

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int cols) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += 32) {
        sum += x[row + j];
    }
    for (int apart = 16; apart > 0; apart /= 2) {
        sum += __shfl_xor_sync(~0u, sum, apart);
    }
    for (int j = threadIdx.x; j < cols; j += 32) {
        y[row + j] = alpha * x[row + j] + bias[j] + sum / cols;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    void* arguments[] = {&x, &bias, &alpha, &y, &cols};
    CHECK(cudaLaunchKernel(row_mean, dim3(rows), dim3(32), arguments, 0, stream));
    CHECK(cudaGetLastError());
    CHECK(cudaStreamSynchronize(stream));
}
