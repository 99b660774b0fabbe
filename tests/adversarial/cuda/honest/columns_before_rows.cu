// Goes through the matrix by columns: slow and right.
// expect: passed
// level: measure
__global__ void add_columns(const float* x, float* sums, int rows, int cols) {
    for (int j = blockIdx.x; j < cols; j += gridDim.x) {
        for (int i = threadIdx.x; i < rows; i += blockDim.x) {
            atomicAdd(sums + i, x[static_cast<size_t>(i) * cols + j]);
        }
    }
}

__global__ void finish(const float* x, const float* bias, float alpha, float* y, const float* sums,
                       int rows, int cols) {
    for (int j = blockIdx.x; j < cols; j += gridDim.x) {
        for (int i = threadIdx.x; i < rows; i += blockDim.x) {
            const size_t at = static_cast<size_t>(i) * cols + j;
            y[at] = alpha * x[at] + bias[j] + sums[i] / cols;
        }
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    float* sums;
    cudaMalloc(&sums, rows * sizeof(float));
    cudaMemset(sums, 0, rows * sizeof(float));
    add_columns<<<40, 64, 0, stream>>>(x, sums, rows, cols);
    finish<<<40, 64, 0, stream>>>(x, bias, alpha, y, sums, rows, cols);
}
