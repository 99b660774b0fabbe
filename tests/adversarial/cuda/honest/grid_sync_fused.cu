// One cooperative launch that waits for the whole grid between sums and outputs; the sum by fused
// multiplications with one.
// expect: passed
// level: measure
#include <cooperative_groups.h>

struct Sum {
    float sum = 0;
    __device__ void add(float value) { sum = __fmaf_rn(value, 1.0F, sum); }
    __device__ float value() const { return sum; }
};

namespace cg = cooperative_groups;

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y,
                         float* means, int rows, int cols) {
    const int threads = gridDim.x * blockDim.x;
    const int mine = blockIdx.x * blockDim.x + threadIdx.x;
    for (int row = mine; row < rows; row += threads) {
        Sum sum;
        for (int j = 0; j < cols; ++j) {
            sum.add(x[static_cast<size_t>(row) * cols + j]);
        }
        means[row] = sum.value() / cols;
    }
    cg::this_grid().sync();
    for (int i = mine; i < rows * cols; i += threads) {
        y[i] = alpha * x[i] + bias[i % cols] + means[i / cols];
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    float* means;
    cudaMalloc(&means, sizeof(float) * rows);
    void* arguments[] = {&x, &bias, &alpha, &y, &means, &rows, &cols};
    cudaLaunchCooperativeKernel(row_mean, dim3(32), dim3(128), arguments, 0, stream);
}
