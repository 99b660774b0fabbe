// Kernels in namespaces, launched through a macro.
// expect: passed
// level: measure
#define FOR_COLUMNS(j) for (int j = threadIdx.x; j < cols; j += blockDim.x)
#define LAUNCH(kernel, grid, block, ...) kernel<<<(grid), (block), 0, stream>>>(__VA_ARGS__)

namespace outer {
namespace inner {
__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int cols) {
    __shared__ float total;
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    if (threadIdx.x == 0) {
        total = 0;
    }
    __syncthreads();
    float sum = 0;
    FOR_COLUMNS(j) { sum += x[row + j]; }
    atomicAdd_block(&total, sum);
    __syncthreads();
    FOR_COLUMNS(j) { y[row + j] = alpha * x[row + j] + bias[j] + total / cols; }
}
}  // namespace inner
}  // namespace outer

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    LAUNCH(outer::inner::row_mean, rows, 96, x, bias, alpha, y, cols);
}
